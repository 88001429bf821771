rule dropper_encoded_shell {
  meta:
    id = "dropper-encoded-shell"
    title = "Encoded text that is run as a shell script"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1027/"
    attack = "T1027"
  strings:
    $a = /echo\s{1,3}(-n\s{1,3})?["']?[A-Za-z0-9+\/=]{60,4000}["']?\s{0,3}\|\s{0,3}base64\s{1,3}(-d|--decode|-D|-di|-id)\s{0,3}\|\s{0,3}(sudo\s{1,3}|nohup\s{1,3})?(\/usr)?(\/bin\/)?(ba|da|z)?sh\b/
    $b = /(ba)?sh\s{1,3}-c\s{1,3}["']?\{echo,[A-Za-z0-9+\/=]{20,4000}\}\|\{base64,-d\}/
    $c = /eval\s{1,3}["']?\$\(\s{0,3}(echo|printf)\s{1,3}["']?[A-Za-z0-9+\/=]{60,4000}["']?\s{0,3}\|\s{0,3}base64\s{1,3}(-d|--decode|-D)\s{0,3}\)/
  condition:
    any of them
}

rule dropper_hidden_program {
  meta:
    id = "dropper-hidden-program"
    title = "Script that fetches a program, hides it and runs it"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1105/"
    attack = "T1105"
  strings:
    $fetch = /(curl|wget|fetch|python\d?\s{1,3}-c)\s[^\n]{0,200}(\/tmp|\/var\/tmp|\/dev\/shm|\/var\/run)\/(\.[\w.\-]{1,40}|[\w.\-]{1,40}\/\.)/
    $run = /(chmod\s{1,3}(\+x|[ua]\+x|[0-7]{3,4})|nohup|setsid)\s{1,3}[^\n]{0,60}(\/tmp|\/var\/tmp|\/dev\/shm|\/var\/run|\.)\/\.?[\w.\-]{1,40}/
  condition:
    $fetch and $run and filesize < 200KB
}

rule dropper_security_removal {
  meta:
    id = "dropper-security-removal"
    title = "Script that removes agents which protect the machine, then fetches"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1562/001/"
    attack = "T1562.001"
  strings:
    $agent1 = /aegis[^\n]{0,30}(uninstall|stop|disable)/
    $agent2 = "quartz_uninstall"
    $agent3 = /qcloud\/(stargate|YunJing|monitor)[^\n]{0,60}uninst/
    $agent4 = /(systemctl|service)\s{1,3}(stop|disable)\s{1,3}(aliyun|cloudmonitor|falcon-sensor|falco|auditd|bcm-agent|cloudResetPwd|tat_agent|wazuh-agent|apparmor)/
    $agent5 = /(pkill|killall|kill)\s[^\n]{0,40}(AliYunDun|aliyun-service|YDService|barad_agent|falcon-sensor|osqueryd|falco)\b/
    $agent6 = /setenforce\s{1,3}0/
    $agent7 = /(ufw\s{1,3}disable|iptables\s{1,3}-F)/
    $fetch = /(curl|wget|wdl|cdl)\s{1,3}[^\n]{0,160}(https?:\/\/|\$)/
    $run = /(chmod\s{1,3}(\+x|[0-7]{3,4})|\|\s{0,3}(ba)?sh\b|crontab)/
  condition:
    (2 of ($agent1, $agent2, $agent3, $agent4, $agent5) or (1 of ($agent1, $agent2, $agent3, $agent5) and any of ($agent6, $agent7))) and $fetch and $run and filesize < 300KB
}

rule dropper_crontab {
  meta:
    id = "dropper-crontab"
    title = "Script that plants a fetched script in the crontab"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1053/003/"
    attack = "T1053.003"
  strings:
    $a = /echo\s[^\n]{0,120}(curl|wget)\s[^\n|]{1,200}\|\s{0,3}(\/bin\/)?(ba)?sh\b[^\n]{0,80}\|\s{0,3}crontab\b/
    $b = /echo\s[^\n]{0,120}(curl|wget)\s[^\n|]{1,200}\|\s{0,3}(\/bin\/)?(ba)?sh\b[^\n]{0,40}>{1,2}\s{0,3}\/(etc\/cron|var\/spool\/cron)/
  condition:
    any of them
}

rule dropper_python {
  meta:
    id = "dropper-python"
    title = "Python script that runs packed or fetched code"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/006/"
    attack = "T1059.006"
  strings:
    $packed = /(exec|eval)\s{0,3}\(\s{0,3}(compile\s{0,3}\(\s{0,3})?(__import__\s{0,3}\(\s{0,3}["'](base64|zlib|marshal|codecs|bz2|lzma)["']\s{0,3}\)|zlib|base64|marshal|codecs|bz2|lzma)\s{0,3}\.\s{0,3}(b64decode|b32decode|b85decode|a85decode|decompress|loads|decode)\s{0,3}\(/
    $bare = /(exec|eval)\s{0,3}\(\s{0,3}(compile\s{0,3}\(\s{0,3})?(b64decode|decompress|unhexlify|bytes\.fromhex)\s{0,3}\(/
    $lambda = /_\s{0,3}=\s{0,3}lambda\s{1,3}__\s{0,3}:\s{0,3}__import__\(/
    $fetched = /(exec|eval|os\.system)\s{0,3}\(\s{0,3}(requests\.get|urllib\d?(\.request)?\.urlopen|urlopen|__import__\(["']urllib)\s{0,3}[\(.]/
  condition:
    any of them and filesize < 5MB
}

rule dropper_node {
  meta:
    id = "dropper-node"
    title = "JavaScript that runs packed or fetched code"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/007/"
    attack = "T1059.007"
  strings:
    $packed = /\b(eval|Function)\s{0,3}\(\s{0,3}(atob|Buffer\.from|unescape|new Buffer)\s{0,3}\(\s{0,3}["'][A-Za-z0-9+\/=%]{40}/
    $fetched = /(eval|new Function|exec(Sync)?)\s{0,3}\(\s{0,3}(await\s{1,3})?(res|response|r|data|body)\.(data|text\(\)|body)\s{0,3}\)/
    $request = /(https?\.(get|request)|axios(\.get|\.post)?|fetch|request)\s{0,3}\(/
    $process = "child_process"
    $secret = "process.env"
  condition:
    $packed or ($fetched and $request and ($process or $secret) and filesize < 100KB)
}

rule dropper_install_script {
  meta:
    id = "dropper-install-script"
    title = "Package that fetches and runs a script when it is installed"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1195/002/"
    attack = "T1195.002"
  strings:
    $npm = /"(pre|post)?install"\s{0,4}:\s{0,4}"[^"\n]{0,200}(curl|wget)\s[^"\n]{0,200}\|\s{0,4}(node|(ba)?sh|python\d?)/
    $npm2 = /"(pre|post)?install"\s{0,4}:\s{0,4}"[^"\n]{0,200}(\/dev\/tcp\/|base64 (-d|--decode)|nc -e|\$\(whoami\)|\$\(hostname\)|`whoami`|`hostname`)/
    $npm3 = /"(pre|post)?install"\s{0,4}:\s{0,4}"node -e \\?["']?[^\n]{0,60}(http|child_process|eval)/
  condition:
    any of them
}

rule dropper_in_memory {
  meta:
    id = "dropper-in-memory"
    title = "Script that runs a program from memory only"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1620/"
    attack = "T1620"
  strings:
    $create1 = "memfd_create"
    $create2 = /syscall\s{0,3}\(?\s{0,3}(319|279|356|385)\b/
    $run1 = /\/proc\/(self|%d|\{\}|\$\$|\$pid|"\s{0,3}\.\s{0,3}\$\$)[^\n]{0,30}\/fd\//
    $run2 = /os\.exec[lv]p?e?\(/
    $run3 = /exec\s{0,3}[\({]/
    $fetch = /(urlopen|requests\.get|http\.get|curl|wget|socket|base64|b64decode|unpack)/
    $process = /(libc|CDLL|ctypes|syscall)/
  condition:
    any of ($create*) and $run1 and any of ($run2, $run3) and $fetch and $process and filesize < 20MB
}

rule worm_over_ssh {
  meta:
    id = "worm-over-ssh"
    title = "Script that spreads over SSH"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1021/004/"
    attack = "T1021.004"
  strings:
    $hosts = /(known_hosts|\.bash_history|authorized_keys|\/etc\/hosts|ssh_config)/
    $keys = /(id_rsa|id_ed25519|\.pem|IdentityFile)/
    $ssh = /ssh\s[^\n]{0,120}StrictHostKeyChecking=no[^\n]{0,300}(curl|wget|base64)\s[^\n]{0,160}\|\s{0,3}(ba)?sh/
  condition:
    $hosts and $keys and $ssh
}
