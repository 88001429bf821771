rule reverse_shell_stub {
  meta:
    id = "reverse-shell-stub"
    title = "Tiny program that connects and runs what it gets"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/004/"
    attack = "T1059.004"
  strings:
    $x64socket = { 6a 29 58 99 6a 02 5f 6a 01 5e 0f 05 }
    $x64socket2 = { 6a 29 58 6a 02 5f 6a 01 5e 99 0f 05 }
    $x86socket = { 31 db f7 e3 53 43 53 6a 02 89 e1 b0 66 cd 80 }
    $x86socket2 = { 31 db 53 43 53 6a 02 6a 66 58 89 e1 cd 80 }
    $arm64socket = { 40 00 80 d2 21 00 80 d2 02 00 80 d2 c8 18 80 d2 01 00 00 d4 }
  condition:
    uint32(0) == 0x464c457f and filesize < 64KB and any of them
}

rule command_and_control_agent {
  meta:
    id = "command-and-control-agent"
    title = "Agent of a command-and-control framework"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1071/001/"
    attack = "T1071.001"
  strings:
    $sliver = "github.com/bishopfox/sliver/"
    $merlin = "github.com/Ne0nd0g/merlin"
    $mythic = "MythicAgents/"
    $poseidon = "poseidon/pkg/profiles"
    $met1 = "stdapi_fs_"
    $met2 = "core_channel_open"
    $met3 = "core_machine_id"
  condition:
    uint32(0) == 0x464c457f and (any of ($sliver, $merlin, $mythic, $poseidon) or 2 of ($met*))
}

rule reverse_shell_program {
  meta:
    id = "reverse-shell-program"
    title = "Program that gives a shell to another machine"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1059/004/"
    attack = "T1059.004"
  strings:
    $shell = /\/bin\/(ba)?sh\x00/
    $connect = "connect"
    $dup = "dup2"
    $exec = /exec(ve|l|lp|vp)\x00/
    $text1 = /(reverse|connect.?back|back.?connect|bind)[ _-]?shell/ nocase
    $text2 = /<(host|ip)> ?<port>/ nocase
    $text3 = "HISTFILE=/dev/null"
  condition:
    uint32(0) == 0x464c457f and filesize < 200KB and $shell and $connect and $dup and $exec and ($text1 or $text3) and any of ($text*)
}
