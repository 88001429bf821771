rule miner_program {
  meta:
    id = "miner-program"
    title = "Program that mines cryptocurrency"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $pool1 = "stratum+tcp://"
    $pool2 = "stratum+ssl://"
    $job1 = "mining.subscribe"
    $job2 = "mining.authorize"
    $job3 = "\"method\":\"keepalived\""
    $algorithm1 = "cryptonight" nocase
    $algorithm2 = "randomx" nocase
    $algorithm3 = "ethash" nocase
    $algorithm4 = "kawpow" nocase
    $option1 = "donate-level"
    $option2 = "nicehash" nocase
    $option3 = "rig-id"
    $option4 = "cpu-max-threads-hint"
    $name = "xmrig" nocase
  condition:
    uint32(0) == 0x464c457f and (
    (any of ($pool*) and 2 of ($job*, $algorithm*, $option*, $name))
    or (2 of ($option*) and any of ($algorithm*) and $name)
    )
}

rule miner_hides_itself {
  meta:
    id = "miner-hides-itself"
    title = "Miner that hides and keeps rivals away"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1496/"
    attack = "T1496"
  strings:
    $pool = "stratum+"
    $kill1 = "pkill -f"
    $kill2 = "killall -9"
    $preload = "/etc/ld.so.preload"
    $cron = "/var/spool/cron"
    $pages = "/proc/sys/vm/nr_hugepages"
    $msr = "/dev/cpu/%d/msr"
  condition:
    uint32(0) == 0x464c457f and $pool and 3 of ($kill1, $kill2, $preload, $cron, $pages, $msr)
}
