# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for msictl: the program itself knows its words.

function __msictl_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    for line in ($program __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
        if string match -qr '^\t.' -- $line
            # --root=DIR, vfio-user:SOCKET
            set -l parts (string match -r '^(.*[=:]|)(.*)$' -- (commandline -ct))
            __fish_complete_path $parts[3] | string replace -r '^' -- $parts[2]
        else
            echo $line
        end
    end
end

complete -c msictl -f -a '(__msictl_complete)'
