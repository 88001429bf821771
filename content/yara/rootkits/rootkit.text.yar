rule rootkit_installer {
  meta:
    id = "rootkit-installer"
    title = "Script that installs a library or module that hides itself"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1014/"
    attack = "T1014"
  strings:
    $preload1 = /echo\s[^\n]{1,80}>{1,2}\s{0,3}\/etc\/ld\.so\.preload/
    $preload2 = /(cp|mv|install|sed\s{1,3}-i)\s[^\n]{1,120}\/etc\/ld\.so\.preload/
    $hide1 = /chattr\s{1,3}\+i[^\n]{0,60}/
    $hide2 = /touch\s{1,3}-(r|acmr|t)\s/
    $hide3 = "history -c"
    $hide4 = /HISTFILE=\/dev\/null|unset\s{1,3}HISTFILE/
    $hide5 = /gcc\s[^\n]{0,120}-shared[^\n]{0,120}-ldl/
  condition:
    any of ($preload*) and any of ($hide*) and filesize < 200KB
}
