rule webshell_php_eval_request {
  meta:
    id = "webshell-php-eval-request"
    title = "PHP page that evaluates the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\b(eval|assert)\s{0,4}\(\s{0,4}@?((gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode|hex2bin|rawurldecode|urldecode|pack|openssl_decrypt|mcrypt_decrypt|stripslashes|trim|bzdecompress)\s{0,3}\(\s{0,3}@?){0,5}["']?\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
    $b = /\b(eval|assert)\s{0,4}\(\s{0,4}@?((gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode|hex2bin|rawurldecode|urldecode|pack|openssl_decrypt|mcrypt_decrypt|stripslashes|trim|bzdecompress)\s{0,3}\(\s{0,3}@?){0,5}file_get_contents\s{0,3}\(\s{0,3}["']php:\/\/input/ nocase
  condition:
    any of them
}

rule webshell_php_command_request {
  meta:
    id = "webshell-php-command-request"
    title = "PHP page that runs the request as a command"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\b(system|shell_exec|passthru|popen|proc_open|pcntl_exec)\s{0,4}\(\s{0,4}@?((base64_decode|trim|stripslashes|urldecode|hex2bin|str_rot13|strrev|gzinflate|join|implode)\s{0,3}\(\s{0,3}@?){0,5}["']?\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
    $b = /[^\w>:$]exec\s{0,4}\(\s{0,4}@?((base64_decode|trim|stripslashes|urldecode|hex2bin)\s{0,3}\(\s{0,3}@?){0,5}["']?\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
    $c = /(=|echo|print|return|die|\()\s{0,3}\(?`\s{0,3}\$_(GET|POST|REQUEST|COOKIE)\b[^`\n]{0,40}`/
  condition:
    any of them
}

rule webshell_php_decoder_chain {
  meta:
    id = "webshell-php-decoder-chain"
    title = "PHP page that evaluates packed text"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $literal = /\b(eval|assert)\s{0,4}\(\s{0,4}(["']\?>["']\s{0,3}\.\s{0,3})?@?((gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode|hex2bin|rawurldecode|urldecode|pack|openssl_decrypt|mcrypt_decrypt|stripslashes|trim|bzdecompress)\s{0,3}\(\s{0,3}@?){1,8}["'][A-Za-z0-9+\/=\\%]{30}/ nocase
    $nested = /\b(eval|assert)\s{0,4}\(\s{0,4}(["']\?>["']\s{0,3}\.\s{0,3})?@?(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|convert_uudecode)\s{0,3}\(\s{0,3}@?(base64_decode|str_rot13|strrev|gzinflate|hex2bin)\s{0,3}\(/ nocase
    $stored = /=\s{0,3}@?(gzinflate|gzuncompress|base64_decode|str_rot13|strrev|gzdecode)\s{0,3}\(\s{0,3}@?(\w{4,20}\s{0,3}\(\s{0,3}){0,3}["'][A-Za-z0-9+\/=]{150}/ nocase
    $run = /\b(eval|assert)\s{0,4}\(\s{0,4}\$\w{1,30}\s{0,4}\)\s{0,3};/ nocase
    $page = "<?"
  condition:
    $page and ($literal or $nested or ($stored and $run))
}

rule webshell_php_callback_request {
  meta:
    id = "webshell-php-callback-request"
    title = "PHP page that hands the request to a function which runs it"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\b(array_map|array_filter|array_walk|array_walk_recursive|usort|uasort|uksort|array_reduce|call_user_func|call_user_func_array|register_shutdown_function|iterator_apply|forward_static_call|array_diff_ukey|array_udiff|array_intersect_ukey|preg_replace_callback|mb_ereg_replace|ob_start|filter_var|filter_var_array)\s{0,4}\([^;\n]{0,120}["'](assert|system|eval|exec|shell_exec|passthru|popen|create_function)["'][^;\n]{0,120}\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    $b = /\b(array_map|array_filter|array_walk|array_walk_recursive|usort|uasort|uksort|array_reduce|call_user_func|call_user_func_array|register_shutdown_function|iterator_apply|forward_static_call|array_diff_ukey|array_udiff|array_intersect_ukey|preg_replace_callback|mb_ereg_replace|ob_start|filter_var|filter_var_array)\s{0,4}\([^;\n]{0,120}\$_(GET|POST|REQUEST|COOKIE)\b[^;\n]{0,120}["'](assert|system|eval|exec|shell_exec|passthru|popen|create_function)["']/ nocase
    $c = /\b(array_map|array_filter|array_walk|array_walk_recursive|usort|uasort|uksort|array_reduce|call_user_func|call_user_func_array|register_shutdown_function|iterator_apply|forward_static_call|array_diff_ukey|array_udiff|array_intersect_ukey|preg_replace_callback|mb_ereg_replace|ob_start|filter_var|filter_var_array)\s{0,4}\(\s{0,4}@?\$_(GET|POST|REQUEST|COOKIE)\s{0,3}[\[{][^\]}\n]{1,30}[\]}]\s{0,3},\s{0,3}(array\s{0,3}\(|\[)?\s{0,3}@?\$_(GET|POST|REQUEST|COOKIE)\b/
  condition:
    any of them
}

rule webshell_php_replace_eval {
  meta:
    id = "webshell-php-replace-eval"
    title = "PHP page that evaluates through a regular expression"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /preg_replace\s{0,4}\(\s{0,4}["']([\/#|~@!])[^"'\n]{0,60}[\/#|~@!][imsxuADU]{0,5}e[imsxuADU]{0,5}["']\s{0,3},[^;\n]{0,100}\$_(GET|POST|REQUEST|COOKIE)\b/
    $b = /preg_replace\s{0,4}\(\s{0,4}@?\$_(GET|POST|REQUEST|COOKIE)\b[^;\n]{0,40},\s{0,3}@?\$_(GET|POST|REQUEST|COOKIE)\b/
    $c = /preg_replace\s{0,4}\(\s{0,4}["']([\/#|~@!])[^"'\n]{0,60}[\/#|~@!][imsxuADU]{0,5}e[imsxuADU]{0,5}["']\s{0,3},\s{0,3}["'][^"'\n]{0,10}(eval|base64_decode|\\x65\\x76)/
    $d = /mb_ereg_replace\s{0,4}\([^;\n]{1,80}\$_(GET|POST|REQUEST|COOKIE)\b[^;\n]{0,80},\s{0,3}["']e["']/
  condition:
    any of them
}

rule webshell_php_create_function {
  meta:
    id = "webshell-php-create-function"
    title = "PHP page that makes a function of the request"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /create_function\s{0,4}\(\s{0,4}["'][^"'\n]{0,40}["']\s{0,3},\s{0,3}@?(\w{3,20}\s{0,3}\(\s{0,3}){0,4}["']?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    $b = /create_function\s{0,4}\(\s{0,4}["'][^"'\n]{0,40}["']\s{0,3},\s{0,3}(gzinflate|base64_decode|str_rot13|strrev)\s{0,3}\(/ nocase
    $d = /create_function\s{0,4}\(\s{0,4}["'][^"'\n]{0,40}["']\s{0,3},\s{0,3}["'][^"'\n]{0,40}\b(eval|assert|system|passthru|shell_exec)\s{0,3}\(/ nocase
    $c = /new\s{1,3}ReflectionFunction\s{0,3}\(\s{0,3}\$_(GET|POST|REQUEST|COOKIE)\b/
  condition:
    any of them
}

rule webshell_php_named_by_request {
  meta:
    id = "webshell-php-named-by-request"
    title = "PHP page whose request names the function to call"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\$_(GET|POST|REQUEST|COOKIE)\s{0,3}[\[{][^\]}\n]{1,30}[\]}]\s{0,3}\)?\s{0,3}\(\s{0,3}@?(\w{3,20}\s{0,3}\(\s{0,3}){0,3}\$_(GET|POST|REQUEST|COOKIE)\b/
    $b = /\$\{\s{0,3}["']_(GET|POST|REQUEST|COOKIE)["']\s{0,3}\}\s{0,3}[\[{][^\]}\n]{1,30}[\]}]\s{0,3}\(/
    $c = /\$\{\s{0,3}["']?\$?_?["']?\s{0,3}\.\s{0,3}["']?(GET|POST|REQUEST|COOKIE)["']?\s{0,3}\}/
  condition:
    any of them
}

rule webshell_php_no_letters {
  meta:
    id = "webshell-php-no-letters"
    title = "PHP page written without letters"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $step = /\$_{1,8}\+\+;/
    $array = /\$_\s{0,3}=\s{0,3}(\[\]|array\(\))\s{0,3}[;.]/
    $xor = /["'][^"'\n\w\s]{1,12}["']\^["'][^"'\n\w\s]{1,12}["']/
    $xor2 = /\(\s{0,2}"[^"\n]{1,12}"\s{0,2}\^\s{0,2}"[^"\n]{1,12}"\s{0,2}\)/
    $xor3 = /\(\s{0,2}'[^'\n]{1,12}'\s{0,2}\^\s{0,2}'[^'\n]{1,12}'\s{0,2}\)/
    $not = /\$_{1,8}\s{0,3}=\s{0,3}~["'(]/
    $call = /\$\{?_{0,8}\}?\s{0,3}[\[{(]\s{0,3}["']?[_\d$]{1,6}["']?\s{0,3}[\]})]\s{0,3}\(/
    $page = "<?"
  condition:
    $page and filesize < 64KB and ((#step > 6 and $array) or #xor > 2 or #xor2 > 2 or #xor3 > 2 or $not) and ($call or #step > 6 or #xor > 2 or #xor2 > 2 or #xor3 > 2)
}

rule webshell_php_encrypted_request {
  meta:
    id = "webshell-php-encrypted-request"
    title = "PHP page that decrypts the request and runs it"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $input1 = "php://input"
    $input2 = /\$_(POST|REQUEST|COOKIE)\s{0,3}\[/
    $key1 = /\[\s{0,3}\$\w{1,12}\s{0,3}\+\s{0,3}1\s{0,3}&\s{0,3}15\s{0,3}\]/
    $key2 = /openssl_decrypt\s{0,3}\([^;\n]{1,60},\s{0,3}["']AES-?128/ nocase
    $key3 = /\^ ?\$\w{1,12}\[ ?\$\w{1,12} ?% ?strlen\(/
    $run1 = /\beval\s{0,3}\(\s{0,3}(\$|["']|base64)/
    $run2 = /\bassert\s{0,3}\(\s{0,3}\$/
    $run3 = /call_user_func\s{0,3}\(\s{0,3}(new|\$|["']assert)/
    $run4 = /create_function\s{0,3}\(/
    $run5 = /new\s{1,3}\w{1,10}\(\)\)?->|@\$\w{1,10}\(\$\w{1,10}\)/
    $session = /(session_start|\$_SESSION|@error_reporting|set_time_limit)/
    $page = "<?"
  condition:
    $page and filesize < 64KB and any of ($input*) and any of ($key*) and any of ($run1, $run2, $run3, $run4, $run5) and $session
}

rule webshell_php_console {
  meta:
    id = "webshell-php-console"
    title = "PHP page with a shell, files and system facts for a stranger"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $run1 = /\bshell_exec\s{0,3}\(/
    $run2 = /\bpassthru\s{0,3}\(/
    $run3 = /\bproc_open\s{0,3}\(/
    $run4 = /\bpopen\s{0,3}\(/
    $run5 = /\bsystem\s{0,3}\(/
    $run6 = /[^>:\w]exec\s{0,3}\(\s{0,3}\$/
    $fact1 = "disable_functions"
    $fact2 = "safe_mode"
    $fact3 = "php_uname("
    $fact4 = "posix_getpwuid("
    $fact5 = "fileperms("
    $fact6 = "/etc/passwd"
    $fact7 = "open_basedir"
    $fact8 = "get_current_user("
    $fact9 = "disk_free_space"
    $hand1 = "move_uploaded_file("
    $hand2 = /name\s{0,2}=\s{0,2}\\?["']?(cmd|command|c|exec)\b/
    $hand3 = /\$_(GET|POST|REQUEST)\[\s{0,2}["']?(cmd|command|c|exec|x|act|p1)["']?\s{0,2}\]/
    $hand4 = "chmod("
    $hand5 = "fsockopen("
    $page = "<?"
    $request = /\$_(GET|POST|REQUEST|FILES)\[/
  condition:
    $page and $request and filesize < 600KB and 3 of ($run*) and 4 of ($fact*) and 2 of ($hand*)
}

rule webshell_php_planted_by_page {
  meta:
    id = "webshell-php-planted-by-page"
    title = "PHP page that writes another shell"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /(file_put_contents|fwrite|fputs)\s{0,4}\([^;\n]{0,120}<\?(php|=)[^;\n]{0,80}(eval|assert|system|exec|passthru)[^;\n]{0,60}\$_(GET|POST|REQUEST|COOKIE)/
    $b = /(file_put_contents|fwrite|fputs)\s{0,4}\([^;\n]{0,120}base64_decode\s{0,3}\(\s{0,3}["']PD9waHA[A-Za-z0-9+\/=]{20}/
    $c = /file_put_contents\s{0,4}\(\s{0,3}@?(base64_decode\s{0,3}\(\s{0,3})?\$_(GET|POST|REQUEST|COOKIE)[^;\n]{1,60},\s{0,3}@?((base64_decode|gzinflate|stripslashes|file_get_contents)\s{0,3}\(\s{0,3}){0,3}\$_(GET|POST|REQUEST|COOKIE)/
    $d = /\becho\s[^\n]{0,40}<\?php[^\n]{0,40}(eval|system|assert|passthru|exec)\s{0,3}\([^\n]{0,20}_(GET|POST|REQUEST)[^\n]{0,60}>{1,2}\s{0,3}\S{1,120}\.(php|phtml|inc)/
  condition:
    any of them
}

rule webshell_php_object_gadget {
  meta:
    id = "webshell-php-object-gadget"
    title = "PHP page whose class runs what the request unserialises"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $run = /function\s{1,4}__(destruct|wakeup|toString|invoke|call)\s{0,3}\([^)\n]{0,30}\)\s{0,40}\{\s{0,40}@?(eval|assert|system|passthru|shell_exec|exec)\s{0,3}\(\s{0,3}["']?\$this->/
    $input = /unserialize\s{0,3}\(\s{0,3}(base64_decode\s{0,3}\(\s{0,3})?\$_(GET|POST|REQUEST|COOKIE)/
  condition:
    $run and $input
}

rule webshell_php_included_stream {
  meta:
    id = "webshell-php-included-stream"
    title = "PHP page that includes what the request brings"
    severity = "critical"
    kind = "webshell"
    advice = "Remove the page, find out how it came into the image, and look for requests to it in the access log."
    reference = "https://cwe.mitre.org/data/definitions/94.html"
    attack = "T1505.003"
  strings:
    $a = /\b(include|require)(_once)?\s{0,4}\(?\s{0,4}["'](php:\/\/input|data:(\/\/)?(text\/plain)?;base64)/
    $b = /\b(include|require)(_once)?\s{0,4}\(?\s{0,4}\$_FILES\s{0,3}\[[^\]\n]{1,30}\]\s{0,3}\[\s{0,2}["']?tmp_name/
  condition:
    any of them
}
