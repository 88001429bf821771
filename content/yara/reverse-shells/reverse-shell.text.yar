rule reverse_shell_bash {
  meta:
    id = "reverse-shell-bash"
    title = "Shell given to another machine through /dev/tcp"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/004/"
    attack = "T1059.004"
  strings:
    $a = /\b(ba|z|da|k)?sh\s{1,3}-i\s{0,3}[0-9]{0,2}(>&|&>|>|<)\s{0,3}\/dev\/(tcp|udp)\//
    $b = /exec\s{1,3}[0-9]{1,3}<>\s{0,3}\/dev\/(tcp|udp)\/[^\n]{3,80}(\n|;)[^\n]{0,40}(cat|while|sh|bash)[^\n]{0,60}[<>]&\s{0,2}[0-9]{1,3}[^\n]{0,60}(\$line|sh|bash)/
    $c = /0<&[0-9]{1,3}[-;]?\s{0,3}exec\s{1,3}[0-9]{1,3}<>\/dev\/(tcp|udp)\//
  condition:
    any of them
}

rule reverse_shell_python {
  meta:
    id = "reverse-shell-python"
    title = "Python script that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/006/"
    attack = "T1059.006"
  strings:
    $dup = /os\.dup2\(\s{0,3}\w{1,20}\.fileno\(\)\s{0,3},\s{0,3}[012]\s{0,3}\)/
    $loop = /os\.dup2\(\s{0,3}\w{1,20}\.fileno\(\)\s{0,3},\s{0,3}(fd|i|f|x)\s{0,3}\)/
    $connect = /\.connect\(\s{0,3}\(/
    $shell1 = /pty\.spawn\(\s{0,3}["'(\[]{1,3}\/?(usr\/)?(bin\/)?(ba|z)?sh/
    $shell2 = /subprocess\.(call|Popen|run)\(\s{0,3}\[\s{0,3}["']\/?(usr\/)?(bin\/)?(ba|z)?sh["']/
    $shell3 = /os\.(exec[lv]p?e?|system)\(\s{0,3}["']\/?(usr\/)?(bin\/)?(ba|z)?sh\b/
  condition:
    (#dup > 1 or $loop) and $connect and any of ($shell*) and filesize < 100KB
}

rule command_server_python {
  meta:
    id = "command-server-python"
    title = "Python script that runs what arrives on a socket"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/006/"
    attack = "T1059.006"
  strings:
    $receive = /\.recv(from)?\(\s{0,3}\w{1,20}\s{0,3}\)/
    $run1 = /subprocess\.(Popen|check_output|run|getoutput|call)\(\s{0,3}(data|cmd|command|msg|recv\w{0,8}|c|d|line|rcmd)(\.decode\([^)]{0,20}\))?(\[[^\]]{0,10}\])?(\.strip\(\))?\s{0,3}[,)]/
    $run2 = /os\.(popen|system)\(\s{0,3}(data|cmd|command|msg|recv\w{0,8}|c|d|line|rcmd)(\.decode\([^)]{0,20}\))?(\[[^\]]{0,10}\])?(\.strip\(\))?\s{0,3}\)/
    $run3 = /(subprocess\.(Popen|check_output|run|getoutput|call)|os\.(popen|system)|exec|eval)\(\s{0,3}\w{1,20}\.recv\(/
    $socket = "socket.socket("
  condition:
    $socket and $receive and any of ($run*) and filesize < 100KB
}

rule reverse_shell_perl {
  meta:
    id = "reverse-shell-perl"
    title = "Perl script that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/"
    attack = "T1059"
  strings:
    $socket1 = /socket\(\s{0,3}\w{1,20}\s{0,3},\s{0,3}PF_INET/
    $socket2 = "IO::Socket::INET"
    $tie1 = /open\(\s{0,3}STD(IN|OUT)\s{0,3},\s{0,3}["'][<>]{1,2}&\s{0,3}[\w$]/
    $tie2 = /STD(IN|OUT|ERR)->fdopen\(\s{0,3}\$\w{1,20}/
    $shell1 = /exec\s{0,3}[({]{1,2}\s{0,3}["']\/bin\/(ba)?sh/
    $shell2 = /system\s{0,3}\(?\s{0,3}\$_\s{0,3}\)?\s{0,3}(while|;|for)/
    $shell3 = /exec\s{1,3}["']?\/bin\/(ba)?sh/
  condition:
    any of ($socket*) and any of ($tie*) and any of ($shell*) and filesize < 100KB
}

rule reverse_shell_php {
  meta:
    id = "reverse-shell-php"
    title = "PHP page that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
  strings:
    $socket = /(fsockopen|pfsockopen|stream_socket_client|socket_connect)\s{0,3}\(/
    $shell1 = /(proc_open|exec|shell_exec|system|popen|passthru)\s{0,3}\(\s{0,3}["'](\/bin\/)?(ba)?sh\s{1,3}-i/
    $shell2 = /=\s{0,3}["'][^"'\n]{0,60}\/bin\/(ba)?sh\s{1,3}-i["']/
    $shell3 = /(ba)?sh\s{1,3}-i\s{0,3}<&\s{0,2}\d\s{0,3}>&\s{0,2}\d/
  condition:
    $socket and any of ($shell*) and filesize < 200KB
}

rule reverse_shell_pipe {
  meta:
    id = "reverse-shell-pipe"
    title = "Shell tied to a connection with nc, socat, telnet or openssl"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/004/"
    attack = "T1059.004"
  strings:
    $fifo = /mkfifo\s{1,3}[^\n]{1,120}\|\s{0,3}(\/usr)?(\/bin\/)?(ba|z|da)?sh\s{0,3}(-i)?[^\n|]{0,20}\|\s{0,3}(\/usr)?(\/bin\/)?(nc|ncat|netcat|telnet|openssl|busybox)\b/
    $exec = /\b(nc|ncat|netcat)(\.traditional|\.openbsd)?\s{1,3}[^\n|#]{0,80}(-\w{0,6}[ec]|--exec|--sh-exec)\s{1,3}["']?(\/usr)?(\/bin\/)?(ba|z|da)?sh\b/
    $exec2 = /\b(nc|ncat|netcat)\s{1,3}-[\w]{0,5}e\s{0,3}(\/usr)?\/bin\/(ba|z|da)?sh\b/
    $socat = /socat\s[^\n]{0,120}(exec|system):["'\\]{0,2}(\/usr)?(\/bin\/)?(ba|z|da)?sh\b[^\n]{0,60}/ nocase
    $awk = /\/inet\/(tcp|udp)\/0\/[^\n]{3,80}\|&\s{0,3}getline/
    $telnet = /telnet\s{1,3}[\w.]{4,40}\s{1,3}\d{1,5}\s{0,3}\|\s{0,3}(\/bin\/)?(ba)?sh\s{0,3}\|\s{0,3}telnet/
  condition:
    any of ($fifo, $exec, $exec2, $awk, $telnet) or ($socat and filesize < 200KB)
}

rule reverse_shell_ruby {
  meta:
    id = "reverse-shell-ruby"
    title = "Ruby script that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/"
    attack = "T1059"
  strings:
    $socket = /TCPSocket\.(open|new)\(/
    $shell1 = /exec\s{0,3}\(?\s{0,3}(sprintf\()?\s{0,3}["']\/bin\/(ba)?sh\s{1,3}-i/
    $shell2 = /IO\.popen\(\s{0,3}(cmd|c|l|line)\s{0,3},/
  condition:
    $socket and any of ($shell1, $shell2) and filesize < 100KB
}

rule reverse_shell_node {
  meta:
    id = "reverse-shell-node"
    title = "Node.js script that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/007/"
    attack = "T1059.007"
  strings:
    $net = /require\(\s{0,3}["'](node:)?net["']\s{0,3}\)/
    $shell = /\bspawn\(\s{0,3}["'](\/bin\/)?(ba|z)?sh["']/
    $cmd = /\bspawn\(\s{0,3}["']cmd(\.exe)?["']/
    $tie = /\.pipe\(\s{0,3}\w{1,20}\.stdin\s{0,3}\)/
  condition:
    $net and any of ($shell, $cmd) and $tie and filesize < 100KB
}

rule reverse_shell_java {
  meta:
    id = "reverse-shell-java"
    title = "Java code that ties a shell to a connection"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/"
    attack = "T1059"
  strings:
    $socket = /new\s{1,3}(java\.net\.)?Socket\(\s{0,3}["'\w]/
    $shell1 = /(exec|ProcessBuilder)\(\s{0,3}(new\s{1,3}String\[\]\s{0,3})?[{"]{1,2}\s{0,3}"?(\/bin\/(ba)?sh|cmd(\.exe)?)"/
    $shell2 = /"\/bin\/(ba)?sh"\s{0,3};/
    $tie = /(getInputStream|getErrorStream|pi|pe|si)\(?\)?\.(available|read)\(\)/
    $redirect = "redirectErrorStream(true)"
  condition:
    $socket and any of ($shell*) and #tie > 1 and $redirect and filesize < 100KB
}
