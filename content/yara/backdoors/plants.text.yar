rule key_planted_by_script {
  meta:
    id = "key-planted-by-script"
    title = "Script that lets its author in by SSH key or password"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1098/004/"
    attack = "T1098.004"
  strings:
    $key = /echo\s{1,3}[^\n]{0,20}(ssh-rsa|ssh-ed25519|ecdsa-sha2)\s[^\n]{20,900}>{1,2}\s{0,3}(\/root|~|\$HOME)?\/\.ssh\/authorized_keys/
    $user1 = /useradd\s[^\n]{0,80}-o\s{1,3}-u\s{1,3}0\b/
    $user2 = /echo\s{1,3}["']?\w{1,20}:[^:\n]{0,120}:0:0:[^\n]{0,80}>>\s{0,3}\/etc\/passwd/
    $hide1 = /chattr\s{1,3}\+[ia]/
    $hide2 = "history -c"
    $hide3 = /(iptables|ufw|setenforce)\s[^\n]{0,30}(-F|disable|0)/
    $hide4 = /(curl|wget)\s[^\n]{0,100}\|\s{0,3}(ba)?sh/
    $hide5 = /HISTFILE/
  condition:
    any of ($user*) or ($key and any of ($hide*))
}
