rule webshell_asp_eval_request {
  meta:
    id = "webshell-asp-eval-request"
    title = "ASP page that evaluates the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\b(eval|execute|executeglobal)\s{0,4}\(?\s{0,4}(\w{2,20}\s{0,3}\(\s{0,3}){0,4}request(\.(item|form|querystring|params|cookies|servervariables|headers))?\s{0,3}[\[\(]/ nocase
    $b = /\beval\s{0,4}\(\s{0,4}[^;\n]{0,80}FromBase64String\s{0,3}\([^;\n]{0,40}Request\b/ nocase
    $page = "<%"
    $runat = /runat\s{0,2}=\s{0,2}["']?server/ nocase
  condition:
    any of ($a, $b) and ($page or $runat)
}

rule webshell_aspx_loads_assembly {
  meta:
    id = "webshell-aspx-loads-assembly"
    title = "ASP.NET page that loads an assembly out of the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $page = "<%@"
    $load1 = /Assembly\s{0,3}\.\s{0,3}Load\s{0,3}\(/
    $load2 = /["']Load["']/
    $decode1 = "RijndaelManaged"
    $decode2 = "CreateDecryptor"
    $decode3 = "FromBase64String"
    $decode4 = /\bAes\.Create|AesManaged|AesCryptoServiceProvider/
    $input1 = "BinaryRead"
    $input2 = /Request\s{0,3}(\.\w{1,14})?\s{0,3}[\[\(]/
    $input3 = "Request.InputStream"
    $run = /CreateInstance\s{0,3}\(|\.Invoke\s{0,3}\(|\.Equals\s{0,3}\(/
  condition:
    $page and filesize < 200KB and any of ($load*) and any of ($decode*) and any of ($input*) and $run
}

rule webshell_aspx_command {
  meta:
    id = "webshell-aspx-command"
    title = "ASP.NET page with a command prompt"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $page1 = "<%@"
    $page2 = /runat\s{0,2}=\s{0,2}["']?server/ nocase
    $start1 = /Process\s{0,3}\.\s{0,3}Start\s{0,3}\(/
    $start2 = "ProcessStartInfo"
    $start3 = /CreateObject\s{0,3}\(\s{0,3}["']wscript\.shell/ nocase
    $shell = /(cmd(\.exe)?|\/bin\/(ba)?sh|powershell(\.exe)?)["'\s]/ nocase
    $flag = /["']\s{0,2}(\/c|-c|\/C)\s{0,2}["' ]/
    $input1 = /Request\s{0,3}(\.\w{1,14})?\s{0,3}[\[\(]/ nocase
    $input2 = /\w{1,20}\.(Text|Value)\b/
    $output = /(RedirectStandardOutput|StdOut\.ReadAll|StandardOutput)/ nocase
  condition:
    any of ($page*) and filesize < 200KB and any of ($start*) and $shell and ($flag or $start3) and any of ($input*) and $output
}

rule webshell_asp_encoded {
  meta:
    id = "webshell-asp-encoded"
    title = "ASP page whose script is encoded"
    severity = "high"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $language = /<%@\s{0,4}language\s{0,3}=\s{0,3}["']?(vbscript|jscript)\.encode/ nocase
    $code = /#@~\^[A-Za-z0-9+\/]{6}==/
  condition:
    $language and $code
}
