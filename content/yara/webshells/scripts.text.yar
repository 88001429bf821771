rule webshell_python_request {
  meta:
    id = "webshell-python-request"
    title = "Python page that runs the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /(os\.(system|popen)|subprocess\.(Popen|run|call|check_output|getoutput|getstatusoutput)|[\s=(,;:](eval|exec))\(\s{0,4}((str|base64\.b64decode|unquote|bytes)\(\s{0,3}){0,3}(flask\.|self\.|bottle\.)?request\.(args|form|values|GET|POST|query|params|headers|cookies|forms|get_data|data)\b/
    $b = /(os\.(system|popen)|subprocess\.(Popen|run|call|check_output|getoutput|getstatusoutput)|[\s=(,;:](eval|exec))\(\s{0,4}(self|handler)\.get_(query_|body_)?arguments?\(/
    $c = /\b(os\.(system|popen)|subprocess\.(Popen|run|call|check_output|getoutput))\(\s{0,4}(form|fs|cgi\.FieldStorage\(\))(\.getvalue\(|\.getfirst\(|\[)/
    $template = /render_template_string\(\s{0,4}(flask\.)?request\.(args|form|values|data|get_data|headers)\b/
  condition:
    any of them
}

rule webshell_node_request {
  meta:
    id = "webshell-node-request"
    title = "Node.js page that runs the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /[\s=(,;:!?{](eval|new Function|execSync|exec|spawnSync|spawn)\(\s{0,4}((String|atob|decodeURIComponent|unescape|Buffer\.from)\(\s{0,3}){0,3}(req|request|ctx|ctx\.request)\.(query|body|params|headers|cookies)\b/
    $b = /require\(\s{0,3}["'](node:)?child_process["']\s{0,3}\)\s{0,3}(\.\s{0,3}\w{2,14}|\[[^\]\n]{1,30}\])\s{0,3}\(\s{0,4}(\w{2,20}\(\s{0,3}){0,2}(req|request|ctx|url|event|q|query)\b/
    $hook = /Server\.prototype\.(emit|on)\s{0,3}=/
    $process = "child_process"
  condition:
    any of ($a, $b) or ($hook and $process and filesize < 50KB)
}

rule webshell_cgi_shell {
  meta:
    id = "webshell-cgi-shell"
    title = "CGI script that runs the query"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $shebang = /^#!\s{0,2}\/\S{1,30}(sh|perl|ruby|lua)/
    $sh1 = /\beval\s{1,3}["']?\$\(?\{?(QUERY_STRING|HTTP_\w{2,20})/
    $sh2 = /(QUERY_STRING|HTTP_\w{2,20})[^\n]{0,120}\|\s{0,3}(base64\s{1,3}-d\s{0,3}\|\s{0,3})?(ba)?sh\b/
    $perl1 = /(system|exec|qx|eval)\s{0,3}[\({ ]\s{0,3}["'`]?\s{0,3}(\$\w{1,10}->param\s{0,3}\(|param\s{0,3}\(|\$ENV\{["']?(QUERY_STRING|HTTP_))/
  condition:
    $shebang at 0 and any of ($sh1, $sh2, $perl1)
}
