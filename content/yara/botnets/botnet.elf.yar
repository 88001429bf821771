rule botnet_mirai {
  meta:
    id = "botnet-mirai"
    title = "Bot of the Mirai kind"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1498/001/"
    attack = "T1498.001"
  strings:
    $dog1 = "/dev/watchdog"
    $dog2 = "/dev/misc/watchdog"
    $scan1 = "/bin/busybox "
    $scan2 = ": applet not found"
    $scan3 = "/proc/net/tcp"
    $scan4 = "ncorrect"
    $scan5 = "assword"
    $attack1 = "TSource Engine Query"
    $attack2 = /POST \/(cdn-cgi|GponForm|ctrlt|HNAP1|tmUnblock)/
    $attack3 = "dvrHelper"
    $attack4 = "/cgi-bin/;cd"
    $name = "MIRAI"
  condition:
    uint32(0) == 0x464c457f and filesize < 2MB and ((all of ($dog*) and 2 of ($scan*, $attack*)) or ($scan1 and $scan2 and any of ($attack*, $name)) or 3 of ($attack*))
}

rule botnet_irc {
  meta:
    id = "botnet-irc"
    title = "Bot that takes orders over IRC"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1071/"
    attack = "T1071"
  strings:
    $irc1 = "NOTICE %s :"
    $irc2 = "PRIVMSG %s :"
    $irc3 = "JOIN %s :%s"
    $irc4 = "NICK %s"
    $order1 = "TSUNAMI"
    $order2 = "GETSPOOFS"
    $order3 = /(SYN|UDP|HTTP|ACK|TCP|STD|PAN)[ -]?FLOOD/ nocase
    $order4 = "KILLALL"
    $order5 = "<target> <port> <secs>"
    $order6 = "SPOOFS"
  condition:
    uint32(0) == 0x464c457f and any of ($irc*) and 2 of ($order*)
}

rule botnet_flooder {
  meta:
    id = "botnet-flooder"
    title = "Bot that floods other machines"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1498/001/"
    attack = "T1498.001"
  strings:
    $order1 = /(SYN|UDP|HTTP|ACK|TCP|STD|HEX|VSE|XMAS|DNS)[ _-]?(FLOOD|ATTACK)/ nocase
    $order2 = "SCANNER ON"
    $order3 = "LOLNOGTFO"
    $order4 = "TELNET ON"
    $order5 = "HOLD FLOOD"
    $order6 = "PONG!"
    $order7 = "BUILD %s:%s"
    $spread1 = "busybox wget"
    $spread2 = "busybox tftp"
    $spread3 = "cd /tmp || cd /var"
  condition:
    uint32(0) == 0x464c457f and (3 of ($order*) or (any of ($spread*) and 1 of ($order*)))
}

rule botnet_xorddos {
  meta:
    id = "botnet-xorddos"
    title = "Bot of the XorDDoS kind"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1498/001/"
    attack = "T1498.001"
  strings:
    $key = "BB2FA36AAA9541F0"
    $cron = "/etc/cron.hourly/gcc.sh"
    $lib1 = "/lib/libudev.so"
    $lib2 = "/lib/udev/udev"
    $init = "sed -i '/\\/etc\\/cron.hourly"
    $update = "/var/run/gcc.pid"
    $init2 = "/etc/rc%d.d/S90%s"
  condition:
    uint32(0) == 0x464c457f and ($key or 2 of ($cron, $lib1, $lib2, $init, $update, $init2)) and ($key or $cron or $update)
}
