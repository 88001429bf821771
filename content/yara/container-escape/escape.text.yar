rule escape_release_agent {
  meta:
    id = "escape-release-agent"
    title = "Script that breaks out through a control group's release agent"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1611/"
    attack = "T1611"
  strings:
    $agent = "release_agent"
    $notify = "notify_on_release"
    $mount = /mount\s[^\n]{0,60}cgroup/
    $path = /(perdir|upperdir|\/etc\/mtab|host_path|overlay)/
    $procs = "cgroup.procs"
  condition:
    $agent and $notify and 2 of ($mount, $path, $procs) and filesize < 100KB
}

rule escape_core_pattern {
  meta:
    id = "escape-core-pattern"
    title = "Script that breaks out through the kernel's core pattern"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1611/"
    attack = "T1611"
  strings:
    $pattern = /(echo|printf)[^\n]{0,20}\|[^\n]{1,160}>\s{0,3}[^\n]{0,40}\/proc\/sys\/kernel\/core_pattern/
    $path = /(upperdir|perdir|\/proc\/\$?\w{1,8}\/root|overlay)/
  condition:
    $pattern and $path
}

rule escape_docker_socket {
  meta:
    id = "escape-docker-socket"
    title = "Script that takes the host over through the Docker socket"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1611/"
    attack = "T1611"
  strings:
    $curl = /--unix-socket\s{1,3}\S{0,30}docker\.sock/
    $create = /containers\/create/
    $bind = /("Binds"\s{0,4}:\s{0,4}\[\s{0,4}"\/:|"Privileged"\s{0,4}:\s{0,4}true|\\"Binds\\"\s{0,4}:\s{0,4}\[\\"\/:)/
    $run = /docker\s{1,3}(-H\s{1,3}\S{4,60}\s{1,3})?run\s[^\n]{0,160}-v\s{1,3}\/:\/\w{1,20}[^\n]{0,160}chroot\s{1,3}\/\w{1,20}/
  condition:
    ($curl and $create and $bind) or $run
}

rule kubernetes_token_abuse {
  meta:
    id = "kubernetes-token-abuse"
    title = "Script that reads a cluster's secrets with the pod's token"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1552/007/"
    attack = "T1552.007"
  strings:
    $token = "/serviceaccount/token"
    $secrets = /\/api\/v1\/(namespaces\/[^\/\s]{1,40}\/)?(secrets|pods\/[^\s]{1,60}\/exec)/
    $send = /(curl|wget)\s[^\n]{0,160}(-d|--data\S{0,10}|-F|--post-\S{4,5}|-T|--upload-file)\s{0,2}=?[^\n]{1,120}(https?:\/\/|\$)/
    $privileged = /"?(hostPID|privileged)"?\s{0,3}:\s{0,3}true/
    $tool = /(kubeletctl|peirates|kube-hunter|deepce)\b/
  condition:
    $token and $secrets and any of ($send, $privileged, $tool) and filesize < 200KB
}

rule container_attack_script {
  meta:
    id = "container-attack-script"
    title = "Script that looks for ways out of a container"
    severity = "high"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1613/"
    attack = "T1613"
  strings:
    $name1 = "DEEPCE" nocase
    $name2 = "linpeas" nocase
    $name3 = "LinEnum"
    $look1 = /docker\.sock/
    $look2 = /cap_(sys_admin|dac_read_search|sys_ptrace|sys_module)/ nocase
    $look3 = /\.dockerenv/
    $look4 = /-perm\s{1,3}[-\/]?(-u=s|4000|04000|-4000|u\+s)/
    $look5 = /release_agent/
    $look6 = /core_pattern/
    $look7 = /gtfobins/ nocase
    $look8 = /exploit/ nocase
  condition:
    (any of ($name*) and 3 of ($look*)) or 7 of ($look*)
}
