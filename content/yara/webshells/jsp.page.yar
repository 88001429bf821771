rule webshell_jsp_command_request {
  meta:
    id = "webshell-jsp-command-request"
    title = "JSP page that runs the request as a command"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /getRuntime\s{0,3}\(\s{0,3}\)\s{0,3}\.\s{0,3}exec\s{0,3}\(\s{0,3}(new\s{1,3}String\s{0,3}\[\s{0,3}\]\s{0,3}\{[^}\n]{0,60},\s{0,3})?request\s{0,3}\.\s{0,3}get(Parameter|Header|QueryString)/
    $b = /new\s{1,3}(java\.lang\.)?ProcessBuilder\s{0,3}\([^;\n]{0,80}request\s{0,3}\.\s{0,3}get(Parameter|Header|QueryString)/
    $c = /\.invoke\s{0,3}\([^;]{0,160}request\s{0,3}\.\s{0,3}getParameter[^;]{0,160}/
    $reflect = /getMethod\s{0,3}\(\s{0,3}["']?(exec|new String\()/
    $page = "<%"
  condition:
    $a or $b or ($page and $c and $reflect)
}

rule webshell_jsp_define_class {
  meta:
    id = "webshell-jsp-define-class"
    title = "JSP page that loads a class out of the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $loader = /extends\s{1,3}(java\.lang\.|java\.net\.URL)?ClassLoader/
    $define1 = "defineClass"
    $define2 = "newInstance"
    $decode1 = "Base64"
    $decode2 = "BASE64Decoder"
    $decode3 = "Cipher"
    $decode4 = "AES"
    $input = /(getReader|getParameter|getInputStream|getHeader)\s{0,3}\(/
    $page1 = "<%"
    $page2 = "<jsp:"
  condition:
    any of ($page*) and filesize < 100KB and $define1 and $define2 and $input and ($loader or 2 of ($decode*)) and any of ($decode*)
}

rule webshell_jsp_memory {
  meta:
    id = "webshell-jsp-memory"
    title = "JSP page that plants a shell in the running server"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $context1 = "StandardContext"
    $context2 = "ApplicationContextFacade"
    $context3 = "WebApplicationContextUtils"
    $plant1 = "addFilterMapBefore"
    $plant2 = "addFilterDef"
    $plant3 = "addApplicationEventListener"
    $plant4 = "addServletMappingDecoded"
    $plant5 = "addValve"
    $plant6 = "registerMapping"
    $run1 = ".exec("
    $run2 = "ProcessBuilder"
    $run3 = "defineClass"
    $page = "<%"
  condition:
    $page and any of ($context*) and any of ($plant*) and any of ($run*)
}

rule webshell_jsp_writes_file {
  meta:
    id = "webshell-jsp-writes-file"
    title = "JSP page that writes the request into a file"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /new\s{1,3}(java\.io\.)?File(OutputStream|Writer)\s{0,3}\(\s{0,3}(new\s{1,3}(java\.io\.)?File\s{0,3}\(\s{0,3})?((application|config|pageContext|request)[^;\n]{0,60}getRealPath\s{0,3}\([^)\n]{0,30}\)\s{0,3}\+?\s{0,3}("[\/\\]{1,2}"\s{0,3}\+\s{0,3})?)?request\s{0,3}\.\s{0,3}getParameter/
    $write = /\.write\s{0,3}\(\s{0,3}request\s{0,3}\.\s{0,3}getParameter/
    $page = "<%"
  condition:
    $page and $a and ($write or filesize < 4KB)
}

rule webshell_jsp_escaped {
  meta:
    id = "webshell-jsp-escaped"
    title = "JSP page whose code is written in character escapes"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $escape = /\\u{1,4}00[2-7][0-9a-fA-F]\\u{1,4}00[2-7][0-9a-fA-F]\\u{1,4}00[2-7][0-9a-fA-F]\\u{1,4}00[2-7][0-9a-fA-F]/
    $page1 = "<%"
    $page2 = "<jsp:"
  condition:
    any of ($page*) and #escape > 15 and filesize < 300KB
}

rule webshell_jsp_script_engine {
  meta:
    id = "webshell-jsp-script-engine"
    title = "JSP page that evaluates the request as a script"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\.eval\s{0,3}\(\s{0,3}(new\s{1,3}String\s{0,3}\([^;\n]{0,40})?request\s{0,3}\.\s{0,3}get(Parameter|Header)/
    $b = /createValueExpression\s{0,3}\([^;\n]{0,60}request\s{0,3}\.\s{0,3}getParameter/
    $c = /\$\{[^}\n]{0,120}(getRuntime|ScriptEngineManager|forName)[^}\n]{0,160}param[\.\[]/
  condition:
    any of them
}
