rule credential_collector {
  meta:
    id = "credential-collector"
    title = "Script that gathers credentials and sends them away"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1552/001/"
    attack = "T1552.001"
  strings:
    $a = ".aws/credentials"
    $b = ".docker/config.json"
    $c = ".kube/config"
    $d = /\.ssh\/(id_rsa|id_ed25519|id_\*)/
    $e = ".git-credentials"
    $f = "/meta-data/iam/security-credentials"
    $g = /\/proc\/(\*|\$\w{1,8}|self|1)\/environ/
    $h = ".bash_history"
    $i = ".npmrc"
    $j = ".pgpass"
    $k = "gcloud/credentials.db"
    $l = "/etc/shadow"
    $send1 = /(curl|wget)\s[^\n]{0,160}(-d|--data\S{0,10}|-F|--post-\S{4,5}|-T|--upload-file|-X\s{0,2}POST)\b/
    $send2 = /(requests\.post|https?\.request|axios\.post|urlopen|sendDocument)\s{0,3}\(/
    $send3 = /\|\s{0,3}(nc|ncat)\s{1,3}[\w.\-]{4,60}\s{1,3}\d{2,5}/
  condition:
    4 of ($a, $b, $c, $d, $e, $f, $g, $h, $i, $j, $k, $l) and any of ($send*) and filesize < 300KB
}

rule memory_password_dumper {
  meta:
    id = "memory-password-dumper"
    title = "Script that reads passwords out of the memory of others"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1003/007/"
    attack = "T1003.007"
  strings:
    $maps = /\/proc\/[^\n]{1,30}\/(maps|mem)\b/
    $target1 = "gnome-keyring-daemon"
    $target2 = "lightdm"
    $target3 = "vsftpd"
    $target4 = /sshd:/
    $target5 = "gdm-password"
    $dump = /(strings|gcore|dd\s{1,3}if=|\.read\(|hex2str)/
    $hash = /(\$6\$|\$y\$|crypt\(|mkpasswd|hashlib)/
  condition:
    $maps and 2 of ($target*) and $dump and $hash and filesize < 200KB
}
