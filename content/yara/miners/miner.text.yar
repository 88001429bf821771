rule miner_configuration {
  meta:
    id = "miner-configuration"
    title = "Configuration of a cryptocurrency miner"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $pool = /stratum\+(tcp|ssl|tls):\/\/[\w.\-]{3,80}:\d{2,5}/
    $wallet = /"user"\s{0,4}:\s{0,4}"[48][0-9A-Za-z]{94}/
    $donate = "\"donate-level\""
    $algorithm = /"(algo|coin)"\s{0,4}:\s{0,4}"(rx\/|cn\/|cn-|randomx|monero|kawpow|ghostrider|argon2|null)?/
    $rig = "\"rig-id\""
    $pools = "\"pools\""
    $nice = "\"nicehash\""
  condition:
    ($wallet and any of ($pool, $donate, $pools)) or ($pools and 3 of ($pool, $donate, $algorithm, $rig, $nice))
}

rule miner_start_script {
  meta:
    id = "miner-start-script"
    title = "Script that starts a cryptocurrency miner"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $start1 = /(-o|--url|--pool|-P)[ =]"?stratum\d?\+(tcp|ssl|tls):\/\//
    $start2 = /(-o|--url)[ =][\w.\-]{4,60}:\d{2,5}\s{1,4}(-u|--user)[ =][48][0-9A-Za-z]{94}/
    $start3 = /xmrig\b[^\n]{0,120}\s--?(donate-level|coin|algo|nicehash|background|url|o)\b/ nocase
  condition:
    any of them
}

rule miner_dropper {
  meta:
    id = "miner-dropper"
    title = "Script that removes rival miners and fetches its own"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $rival1 = /(pkill|killall|kill)[^\n]{0,80}(xmrig|xmr-stak|minerd|kdevtmpfsi|kinsing|cryptonight|stratum|kworkerds|ddgs|sysupdate|networkservice|watchbog|cnrig|monero)/
    $rival2 = /grep[^\n]{0,60}(stratum|xmrig|kdevtmpfsi|kinsing|minerd|monerohash|minexmr|:3333|:14444)[^\n]{0,120}(kill|xargs)/
    $fetch1 = /(curl|wget)\s[^\n]{0,160}https?:\/\//
    $fetch2 = /(curl|wget|cdt|wdt|LDR|WGET)["}]?\s[^\n]{0,80}\$\{?\w{1,20}/
    $run1 = /chmod\s{1,3}(\+x|[0-7]{3,4})/
    $run2 = "crontab -"
    $run3 = /nohup\s/
  condition:
    any of ($rival*) and any of ($fetch*) and any of ($run*) and filesize < 200KB
}

rule miner_in_page {
  meta:
    id = "miner-in-page"
    title = "Page that mines in the visitor's browser"
    severity = "medium"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $a = /new\s{1,3}(CoinHive|CRLT|CryptoLoot|Client|CoinImp|DeepMiner)\.(Anonymous|User|Token)\(\s{0,3}["'][\w\-]{16,80}["']/
  condition:
    $a
}
