rule ransom_note {
  meta:
    id = "ransom-note"
    title = "Note that asks for a ransom"
    severity = "critical"
    kind = "malware"
    advice = "Restore from a backup made before the image, and find out how the note came into it."
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
  strings:
    $lost1 = /your (files?|data|database|databases|server|servers|network|system|documents)( and \w{3,12})? (is|are|was|were|has been|have been) (now )?(encrypted|locked|stolen|downloaded|backed up|dumped|deleted|wiped|exfiltrated)/ nocase
    $lost2 = /all (of )?your (important )?(files|data|databases?|documents)[^\n]{0,40}(encrypted|backed up|deleted|stolen|locked)/ nocase
    $pay1 = /\b(send|pay|transfer|deposit)\b[^\n]{0,60}\b(btc|bitcoins?|monero|xmr)\b/ nocase
    $pay2 = /[a-z2-7]{16,56}\.onion\b/
    $pay3 = /\b(bc1[0-9a-z]{25,60})\b/
    $pay4 = /(decryption (key|tool)|private key|decryptor)[^\n]{0,80}/ nocase
    $pay5 = /(recover|restore|decrypt|unlock) (your|all|the) (files|data|databases?)/ nocase
  condition:
    any of ($lost*) and (any of ($pay1, $pay2, $pay3)) and 2 of ($pay*) and filesize < 100KB
}

rule ransom_script {
  meta:
    id = "ransom-script"
    title = "Script that encrypts files and deletes the originals"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
  strings:
    $walk1 = /find\s{1,3}\/[^\n]{0,160}-(name|iname|type|exec)/
    $walk2 = /for\s{1,3}\w{1,12}\s{1,3}in\s{1,3}[^\n]{0,80}(find|ls|\/\*|locate)/
    $walk3 = "os.walk("
    $encrypt1 = /openssl\s{1,3}(enc\s{1,3})?-?(aes|des|rsautl|enc)[^\n]{0,160}(-in|-pass|-k)\b/
    $encrypt2 = /gpg\s[^\n]{0,120}(-c|--symmetric|--encrypt|-e)\b/
    $encrypt3 = /Fernet\(|AES\.new\(/
    $delete1 = /(shred|rm)\s{1,3}-[a-z]{1,4}\s[^\n]{0,20}\$/
    $delete2 = /os\.(remove|unlink)\(/
    $note = /(your|all) (files|data|server)[^\n]{0,60}(encrypted|locked)/ nocase
    $money = /\b(bitcoin|btc|monero|\.onion)\b/ nocase
  condition:
    any of ($walk*) and any of ($encrypt*) and any of ($delete*) and $note and $money and filesize < 200KB
}

rule ransom_esxi_script {
  meta:
    id = "ransom-esxi-script"
    title = "Script that stops virtual machines to encrypt their disks"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1489/"
    attack = "T1489"
  strings:
    $stop1 = /esxcli\s{1,3}(--formatter=\S{1,10}\s{1,3}[^\n]{0,60})?vm\s{1,3}process\s{1,3}(kill|list)/
    $stop2 = /vim-cmd\s{1,3}vmsvc\/(power\.off|getallvms|snapshot\.removeall)/
    $disks = /\.(vmdk|vmsn|vswp|vmsd|vmem)\b/
    $encrypt = /\b(encrypt|\.\/enc|openssl)\w{0,8}\b/
    $note = /(ransom|restore your|how to (restore|decrypt)|motd|index\.html)/ nocase
    $kill = /--type=?\s{0,2}(force|hard)/
  condition:
    any of ($stop*) and $disks and $encrypt and ($note or $kill) and filesize < 500KB
}
