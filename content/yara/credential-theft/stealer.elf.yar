rule credential_collector_program {
  meta:
    id = "credential-collector-program"
    title = "Program that gathers credentials"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1552/001/"
    attack = "T1552.001"
    unless_owned = 1
  strings:
    $a = ".aws/credentials"
    $b = ".docker/config.json"
    $c = ".kube/config"
    $d = ".ssh/id_rsa"
    $e = ".git-credentials"
    $f = "/meta-data/iam/security-credentials"
    $g = ".bash_history"
    $h = ".pgpass"
    $i = "wallet.dat"
    $j = "logins.json"
    $k = "gcloud/credentials.db"
    $l = "/etc/shadow"
  condition:
    uint32(0) == 0x464c457f and filesize < 30MB and 6 of them
}
