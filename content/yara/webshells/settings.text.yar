rule webshell_handler_for_pictures {
  meta:
    id = "webshell-handler-for-pictures"
    title = "Web server setting that runs pictures as PHP"
    severity = "high"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /(AddType|AddHandler)\s{1,4}application\/x-httpd-php\d{0,2}\s[^\n]{0,40}\.?(jpe?g|png|gif|ico|txt|css)\b/ nocase
    $b = /<FilesMatch\s[^\n>]{0,60}(jpe?g|png|gif|ico)[^\n>]{0,20}>\s{0,40}SetHandler\s{1,4}["']?application\/x-httpd-php/ nocase
    $c = /auto_(ap|pre)pend_file\s{0,3}=?\s{0,3}["']?[^\n"']{0,60}\.(jpe?g|png|gif|ico|txt)\b/
  condition:
    any of them
}
