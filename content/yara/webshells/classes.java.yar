rule webshell_class_command {
  meta:
    id = "webshell-class-command"
    title = "Compiled servlet or filter that runs the request as a command"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $servlet1 = "javax/servlet/"
    $servlet2 = "jakarta/servlet/"
    $input1 = "getParameter"
    $input2 = "getReader"
    $input3 = "getHeader"
    $input4 = "getInputStream"
    
    $run1 = "getRuntime"
    $run2 = "java/lang/ProcessBuilder"
    $shell1 = "/bin/sh"
    $shell2 = "/bin/bash"
    $shell3 = "cmd.exe"
    $flag1 = "-c"
    $flag2 = "/c"
  condition:
    filesize < 200KB and any of ($servlet*) and any of ($input*) and any of ($run*) and any of ($shell*) and any of ($flag*)
}

rule webshell_class_define_class {
  meta:
    id = "webshell-class-define-class"
    title = "Compiled servlet or filter that loads a class out of the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $servlet1 = "javax/servlet/"
    $servlet2 = "jakarta/servlet/"
    $input1 = "getParameter"
    $input2 = "getReader"
    $input3 = "getHeader"
    $input4 = "getInputStream"
    
    $define = "defineClass"
    $decode1 = "javax/crypto/Cipher"
    $decode2 = "AES"
    $decode3 = /base64/ nocase
  condition:
    filesize < 200KB and any of ($servlet*) and any of ($input*) and $define and 2 of ($decode*)
}

rule webshell_class_memory {
  meta:
    id = "webshell-class-memory"
    title = "Class that plants a shell in a running server"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $plant1 = "addFilterMapBefore"
    $plant2 = "addApplicationEventListener"
    $plant3 = "addServletMappingDecoded"
    $plant4 = "org/apache/catalina/core/StandardContext"
    $run1 = "getRuntime"
    $run2 = "java/lang/ProcessBuilder"
    $run3 = "defineClass"
    $input1 = "getParameter"
    $input2 = "getHeader"
  condition:
    filesize < 200KB and 2 of ($plant*) and any of ($run*) and any of ($input*)
}
