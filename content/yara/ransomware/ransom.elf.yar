rule ransom_program {
  meta:
    id = "ransom-program"
    title = "Program that encrypts files for ransom"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
  strings:
    $stop1 = "esxcli vm process kill"
    $stop2 = "vim-cmd vmsvc/"
    $stop3 = "esxcli system"
    $disk1 = ".vmdk"
    $disk2 = ".vmsn"
    $disk3 = ".vswp"
    $note1 = /\.onion/
    $note2 = /(README|RESTORE|RECOVER|DECRYPT|HOW_TO)[\w\-. ]{0,30}\.(txt|html)/ nocase
    $note3 = /your (files|data|network)[^\x00\n]{0,40}encrypted/ nocase
    $note4 = /decrypt(or|ion key)?[^\x00\n]{0,40}(contact|tor browser|bitcoin|pay)/ nocase
  condition:
    uint32(0) == 0x464c457f and ((any of ($stop*) and any of ($disk*) and any of ($note*)) or ($note1 and $note3 and any of ($note2, $note4)))
}
