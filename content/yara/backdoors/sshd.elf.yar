rule sshd_logs_passwords {
  meta:
    id = "sshd-logs-passwords"
    title = "SSH server or client that writes passwords down"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1556/"
    attack = "T1556"
  strings:
    $ssh1 = "OpenSSH_"
    $ssh2 = "SSH-2.0-"
    $log1 = /(user|login|name|host)\w{0,6}[ :=\[\]'>-]{0,5}%s[^\x00\n]{0,20}(pass|pwd|pw|passwd|password)\w{0,4}[ :=\[\]'>-]{0,5}%s/ nocase
    $log2 = /(pass|password|passwd)[ :=>-]{1,6}%s[^\x00\n]{0,20}(user|host)[ :=>-]{1,6}%s/ nocase
    $log3 = /user\w{0,4}[:, \/]{1,3}(pass|pwd|pw)\w{0,5}[^\x00\n]{0,10}%s[:, \/]{1,3}%s/ nocase
    $place = /\/(tmp|var\/tmp|dev|etc|usr\/(include|lib|share|local)|lib)\/([\w\-]{1,20}\/){0,3}\.[\w.\-]{1,30}\x00/
  condition:
    uint32(0) == 0x464c457f and any of ($ssh*) and any of ($log*) and ($place or filesize > 100KB or filesize < 4KB)
}

rule sshd_master_password {
  meta:
    id = "sshd-master-password"
    title = "SSH server with a password of its own"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1556/"
    attack = "T1556"
  strings:
    $ssh = "OpenSSH_"
    $check1 = "auth_password"
    $check2 = "sshpam_auth_passwd"
    $own1 = /(magic|backdoor|master|secret|bd)[_-]?(pass|password|passwd|pwd|pw|key)\x00/ nocase
    $own2 = "pi=%d uid=%d backdoor"
    $own3 = "bindshell"
  condition:
    uint32(0) == 0x464c457f and $ssh and any of ($check*) and any of ($own*)
}

rule pam_logs_passwords {
  meta:
    id = "pam-logs-passwords"
    title = "PAM module that writes passwords down or lets one in"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1556/003/"
    attack = "T1556.003"
  strings:
    $pam1 = "pam_sm_authenticate"
    $pam2 = "pam_get_authtok"
    $pam3 = "pam_get_item"
    $pam4 = "pam_get_user"
    $log1 = /(user|login|name|host)\w{0,6}[ :=\[\]'>-]{0,5}%s[^\x00\n]{0,20}(pass|pwd|pw|passwd|password)\w{0,4}[ :=\[\]'>-]{0,5}%s/ nocase
    $log2 = /\x00%s:%s(:%s)?\n?\x00/
    $place = /\/(tmp|var\/tmp|dev|var\/log|etc|usr\/(include|lib|share|local))\/([\w\-]{1,20}\/){0,3}\.[\w.\-]{1,30}\x00/
    $own = /(magic|backdoor|master)[_-]?(pass|password|passwd|pwd)\x00/ nocase
  condition:
    uint32(0) == 0x464c457f and $pam1 and any of ($pam2, $pam3, $pam4) and ($own or $log1 or ($log2 and $place))
}
