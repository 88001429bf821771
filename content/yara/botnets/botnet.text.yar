rule botnet_loader {
  meta:
    id = "botnet-loader"
    title = "Script that fetches a bot for every processor"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1105/"
    attack = "T1105"
  strings:
    $places = /cd \/tmp \|\| cd \/(var|run|mnt|root|dev)/
    $step = /(wget|curl|tftp|busybox \w{3,5})\s[^\n;]{4,160};\s{0,3}([^\n;]{0,120};\s{0,3}){0,2}chmod\s{1,3}(\+x|[0-7]{3})\s{1,3}[^\n;]{1,60};\s{0,3}\.?\/[^\n;]{1,60}/
    $names = /\b(mips|mpsl|mipsel|arm[4-7]|sh4|m68k|sparc|ppc|i[56]86|x86)\b/
  condition:
    ($places and $step) or (#step > 2 and #names > 2)
}
