rule container_attack_tool {
  meta:
    id = "container-attack-tool"
    title = "Tool kit for attacks on containers and clusters"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1611/"
    attack = "T1611"
  strings:
    $cdk = "github.com/cdk-team/CDK/"
    $peirates = "github.com/inguardians/peirates"
    $botb = "brompwnie/botb"
    $kubeletctl = "kubeletctl/cmd"
    $kubesploit = "cyberark/kubesploit"
    $ctrsploit = "github.com/ctrsploit/ctrsploit"
    $kdigger = "github.com/quarkslab/kdigger"
  condition:
    uint32(0) == 0x464c457f and any of them
}
