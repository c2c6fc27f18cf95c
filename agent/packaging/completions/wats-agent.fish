# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wats_agent_global_optspecs
    string join \n config= json h/help V/version
end

function __fish_wats_agent_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wats_agent_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wats_agent_using_subcommand
    set -l cmd (__fish_wats_agent_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wats-agent -n "__fish_wats_agent_needs_command" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_needs_command" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -s V -l version -d 'Print version'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "run" -d 'Run the agent until it is told to stop'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "convert" -d 'Convert one file and print its reports as a JSON array'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "recognise" -d 'Say which format files have, how sure that is, and why; 10 when one has none that is known'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "converters" -d 'List the converters and their arguments'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "plugin" -d 'Check, try and enable customers\' own converters'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "check-config" -d 'Check the configuration file and say everything that is wrong in it'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "config" -d 'Show the configuration in force and its history, compare, go back'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "status" -d 'Show how the running agent fares'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "pause" -d 'Take no files, or send no reports, until it is resumed; also over a restart'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "resume" -d 'Go on with what was paused'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "events" -d 'Show what happens in the running agent, as it happens'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "sources" -d 'Look at and change the watched folders of the running agent'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "upload" -d 'Put files into the folder of a source of the running agent'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "files" -d 'Look at the running agent\'s input files, and convert again those that failed'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "queue" -d 'Look at the running agent\'s queue of reports, and send again, correct or give up'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "server" -d 'Look at, change and try the running agent\'s connection to the WATS server'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "station" -d 'Look at and change the station that the running agent sends reports as'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "instances" -d 'List the instances of this machine, whose configurations lie beside this one\'s'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "ledger" -d 'Answer from the receipt ledger: what became of every file, provably'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "import-pywats" -d 'Read a pyWATS client\'s configuration and say what was taken, what was translated and what could not be'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "register" -d 'Register this machine as a client of the server, anew if it was registered before'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "unregister" -d 'Take the registration back: the server hears no more of this machine but its reports'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "replay" -d 'Convert archived files again and send the reports that change'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "rescue" -d 'Show what was done about a damaged database, or confirm that you have seen it'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "sandbox" -d 'Look at the sandbox in which foreign converters run'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "completions" -d 'Print the completions of this command line for a shell'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "make-key" -d 'Make the machine key, under which credentials are kept; one that is there stays'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "worker" -d 'Convert what comes on standard input; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "sandboxed" -d 'Become the program that standard input names, in a box; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "share" -d 'Look after a network mount as standard input says; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand run" -l machine-key -d 'Keep credentials under the key in this file, instead of the one systemd hands over' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand run" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand run" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand run" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand convert" -l converter -d 'The converter\'s name; without it, the one that is surest of the file' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand convert" -l arg -d 'An argument of the converter; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand convert" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand convert" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand convert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand recognise" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand recognise" -l all -d 'Also say why every other format does not fit'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand recognise" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand recognise" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand converters" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand converters" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand converters" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "list" -d 'List what lies in the plug-in folder, and how it stands'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "check" -d 'Say what is wrong with a plug-in, wherever it lies; 10 when something is. Needs no agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "try" -d 'Convert a sample with a plug-in of the running agent and keep nothing of it; 10 when it is not converted'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "upload" -d 'Put a plug-in of one file into the plug-in folder of the running agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "enable" -d 'Let sources of the running agent use a plug-in, with exactly its present content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "disable" -d 'Let no source use a plug-in any more; their files wait'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "remove" -d 'Remove a plug-in that no source uses'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and not __fish_seen_subcommand_from list check try upload enable disable remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from list" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from list" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l sample -d 'Convert this file, too' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l converter -d 'Of a plug-in with several converters, the one for the sample' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l arg -d 'An argument of the converter; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l trust -d 'Lift a part of the sandbox; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from try" -l converter -d 'Of a plug-in with several converters, the one to use' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from try" -l arg -d 'An argument of the converter; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from try" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from try" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from try" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from upload" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from upload" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from upload" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -l sha256 -d 'Only with this content, as `plugin list --json` shows it' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -l trust -d 'Lift a part of the sandbox; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -l packages -d 'Whose pywats packages a Python plug-in imports: auto, pywats or compat' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from disable" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from disable" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from disable" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from remove" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from remove" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "list" -d 'List what lies in the plug-in folder, and how it stands'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say what is wrong with a plug-in, wherever it lies; 10 when something is. Needs no agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "try" -d 'Convert a sample with a plug-in of the running agent and keep nothing of it; 10 when it is not converted'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "upload" -d 'Put a plug-in of one file into the plug-in folder of the running agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "enable" -d 'Let sources of the running agent use a plug-in, with exactly its present content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "disable" -d 'Let no source use a plug-in any more; their files wait'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a plug-in that no source uses'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand check-config" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand check-config" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand check-config" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -f -a "show" -d 'Show the configuration that is in force'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -f -a "history" -d 'List the configurations that were in force, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -f -a "diff" -d 'Show what changed between two configurations of the history'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -f -a "rollback" -d 'Put a configuration of the history into force again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and not __fish_seen_subcommand_from show history diff rollback help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from show" -l all -d 'Every key with the value that holds, also those that the file leaves out'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from history" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from history" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from diff" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from diff" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from rollback" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from rollback" -l dry-run -d 'Only show what would change'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from rollback" -l replace -d 'Also over an edit of the file that is not in force; a copy of it is kept'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from rollback" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show the configuration that is in force'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "history" -d 'List the configurations that were in force, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "diff" -d 'Show what changed between two configurations of the history'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "rollback" -d 'Put a configuration of the history into force again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand status" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand status" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand status" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand pause" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand pause" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand resume" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand resume" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand events" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand events" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand events" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "list" -d 'List the watched folders'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "show" -d 'Show one with all its settings'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "add" -d 'Watch another folder'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "change" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "remove" -d 'Stop watching; the files stay where they are'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "pause" -d 'Take no files of this source'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "resume" -d 'Take files of this source again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and not __fish_seen_subcommand_from list show add change remove pause resume help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from list" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from list" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l converter -d 'The converter: see `wats-agent converters`' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l folder -d 'The folder, an absolute path; without it /srv/wats/INSTANCE/NAME' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l pattern -d 'A pattern of file names, like *.xml; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l arg -d 'An argument of the converter; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l after -d 'What becomes of a file once its reports are stored' -r -f -a "archive\t''
keep\t''
delete\t''
zip\t''"
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l priority -d 'From 1, the most urgent, to 10' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l settings -d 'All settings as JSON, in the form of `sources show --json`, member `settings`; the other options go over it. - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l converter -d 'The converter: see `wats-agent converters`' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l folder -d 'The folder, an absolute path; without it /srv/wats/INSTANCE/NAME' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l pattern -d 'A pattern of file names, like *.xml; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l arg -d 'An argument of the converter; can be given several times' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l after -d 'What becomes of a file once its reports are stored' -r -f -a "archive\t''
keep\t''
delete\t''
zip\t''"
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l priority -d 'From 1, the most urgent, to 10' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l settings -d 'All settings as JSON, in the form of `sources show --json`, member `settings`; the other options go over it. - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from change" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from remove" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from remove" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from pause" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from pause" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from resume" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from resume" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the watched folders'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one with all its settings'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "add" -d 'Watch another folder'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "change" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Stop watching; the files stay where they are'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "pause" -d 'Take no files of this source'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "resume" -d 'Take files of this source again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sources; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand upload" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand upload" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand upload" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -f -a "list" -d 'List input files, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -f -a "show" -d 'Show one file with its reports'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -f -a "retry" -d 'Convert a failed file again, or all'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and not __fish_seen_subcommand_from list show retry help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l state -d 'Only files in this state: claimed, converted or failed' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l source -d 'Only files of this source' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l sha256 -d 'Only files with this content' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l before -d 'Only what comes after this file in the list: the last one of the page before' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from retry" -l source -d 'Only files of this source' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from retry" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from retry" -l all -d 'All failed files, or those of the source'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from retry" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from help" -f -a "list" -d 'List input files, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one file with its reports'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from help" -f -a "retry" -d 'Convert a failed file again, or all'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand files; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "list" -d 'List reports, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "show" -d 'Show one report: what came of it, the server\'s words, and with --json its content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "retry" -d 'Send a refused report, or a waiting one, now; or all refused ones'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "discard" -d 'Give a refused report up, or all; it is kept for the record'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "correct" -d 'Put a corrected content in the place of a refused report\'s, and send it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and not __fish_seen_subcommand_from list show retry discard correct help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l state -d 'Only reports in this state: queued, sending, sent, rejected or discarded' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l source -d 'Only those from this source' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l serial -d 'Only those of this serial number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l part -d 'Only those of this part number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l from -d 'Only those stored at this time or later, like 2026-01-31T00:00:00Z' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l to -d 'Only those stored before this time' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l before -d 'Only what comes after this report in the list: the last one of the page before' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l source -d 'Only those from this source' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l serial -d 'Only those of this serial number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l part -d 'Only those of this part number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l from -d 'Only those stored at this time or later, like 2026-01-31T00:00:00Z' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l to -d 'Only those stored before this time' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l all -d 'All refused reports, or those that the other options leave'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l source -d 'Only those from this source' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l serial -d 'Only those of this serial number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l part -d 'Only those of this part number' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l from -d 'Only those stored at this time or later, like 2026-01-31T00:00:00Z' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l to -d 'Only those stored before this time' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l all -d 'All refused reports, or those that the other options leave'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from discard" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from correct" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from correct" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from correct" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "list" -d 'List reports, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one report: what came of it, the server\'s words, and with --json its content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "retry" -d 'Send a refused report, or a waiting one, now; or all refused ones'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "discard" -d 'Give a refused report up, or all; it is kept for the record'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "correct" -d 'Put a corrected content in the place of a refused report\'s, and send it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand queue; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -f -a "show" -d 'Show the settings, without the secret'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -f -a "test" -d 'Try the connection, with the options in the place of what is set; nothing is kept'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and not __fish_seen_subcommand_from show set test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l url -d 'Its address, like https://customer.wats.com' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l token-file -d 'A file with the token, as the server gave it; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l user -d 'A user name, in the place of a token' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l password-file -d 'A file with the user\'s password; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l proxy -d 'A proxy, like http://proxy:8080' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l proxy-user -d 'A user name for the proxy' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l proxy-password-file -d 'A file with the password for the proxy; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l ca -d 'A file with extra root certificates, PEM' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l no-proxy -d 'Use no proxy'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l no-ca -d 'Use no extra root certificates'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l url -d 'Its address, like https://customer.wats.com' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l token-file -d 'A file with the token, as the server gave it; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l user -d 'A user name, in the place of a token' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l password-file -d 'A file with the user\'s password; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l proxy -d 'A proxy, like http://proxy:8080' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l proxy-user -d 'A user name for the proxy' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l proxy-password-file -d 'A file with the password for the proxy; - reads standard input' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l ca -d 'A file with extra root certificates, PEM' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l no-proxy -d 'Use no proxy'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l no-ca -d 'Use no extra root certificates'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show the settings, without the secret'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "test" -d 'Try the connection, with the options in the place of what is set; nothing is kept'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -f -a "show" -d 'Show it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and not __fish_seen_subcommand_from show set help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from show" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from show" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l name -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l location -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l purpose -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l time-zone -d 'In which local times in files are read, like Europe/Oslo' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from help" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand station; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand instances" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand instances" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand instances" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -f -a "verify" -d 'Compute every hash again and say whether a record was changed or is missing'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -f -a "export" -d 'Print the records of a time'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -f -a "find" -d 'Say which files a serial number came from and whether the server has it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and not __fish_seen_subcommand_from verify export find help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l noted -d 'The last hash of an earlier check: it must still be there' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -l from -d 'The first moment, like 2026-01-31T00:00:00Z' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -l to -d 'The moment after the last' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -l format -d 'The form of the records; with --json JSON' -r -f -a "csv\t''
json\t'One JSON object in each line'"
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from find" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from find" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from find" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Compute every hash again and say whether a record was changed or is missing'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "export" -d 'Print the records of a time'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "find" -d 'Say which files a serial number came from and whether the server has it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand import-pywats" -l output -d 'Write the configuration into this new file, without credentials' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand import-pywats" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand import-pywats" -l apply -d 'Put it into force in the running agent, credentials included'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand import-pywats" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand import-pywats" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand register" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand register" -l token-stdin -d 'Read a token with the right to register from standard input, instead of using the agent\'s own'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand register" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand register" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand unregister" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand unregister" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand unregister" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l converter -d 'Files that this converter has converted' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l from -d 'Files received since then: a date like 2026-01-31, or a moment like 2026-01-31T08:00:00Z' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l to -d 'Files received until then, a whole day included; without it, until now' -r
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l dry-run -d 'Only show what would change; nothing is stored or sent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand replay" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand rescue" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand rescue" -l confirm -d 'End the alarm'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand rescue" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand rescue" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and not __fish_seen_subcommand_from status help" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and not __fish_seen_subcommand_from status help" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and not __fish_seen_subcommand_from status help" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and not __fish_seen_subcommand_from status help" -f -a "status" -d 'Show which layers hold: in the running agent, or where none runs, if it ran as you do now'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and not __fish_seen_subcommand_from status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show which layers hold: in the running agent, or where none runs, if it ran as you do now'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand completions" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand completions" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand completions" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand make-key" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand make-key" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand make-key" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand worker" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand worker" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand worker" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandboxed" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandboxed" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand sandboxed" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand share" -l config -d 'The configuration file; its name is the instance\'s name. Without it $PYWATS_CONFIG, else /etc/wats-agent/default.toml' -r -F
complete -c wats-agent -n "__fish_wats_agent_using_subcommand share" -l json -d 'Answer in JSON'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand share" -s h -l help -d 'Print help'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "run" -d 'Run the agent until it is told to stop'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "convert" -d 'Convert one file and print its reports as a JSON array'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "recognise" -d 'Say which format files have, how sure that is, and why; 10 when one has none that is known'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "converters" -d 'List the converters and their arguments'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "plugin" -d 'Check, try and enable customers\' own converters'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "check-config" -d 'Check the configuration file and say everything that is wrong in it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "config" -d 'Show the configuration in force and its history, compare, go back'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "status" -d 'Show how the running agent fares'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "pause" -d 'Take no files, or send no reports, until it is resumed; also over a restart'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "resume" -d 'Go on with what was paused'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "events" -d 'Show what happens in the running agent, as it happens'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "sources" -d 'Look at and change the watched folders of the running agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "upload" -d 'Put files into the folder of a source of the running agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "files" -d 'Look at the running agent\'s input files, and convert again those that failed'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "queue" -d 'Look at the running agent\'s queue of reports, and send again, correct or give up'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "server" -d 'Look at, change and try the running agent\'s connection to the WATS server'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "station" -d 'Look at and change the station that the running agent sends reports as'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "instances" -d 'List the instances of this machine, whose configurations lie beside this one\'s'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "ledger" -d 'Answer from the receipt ledger: what became of every file, provably'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "import-pywats" -d 'Read a pyWATS client\'s configuration and say what was taken, what was translated and what could not be'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "register" -d 'Register this machine as a client of the server, anew if it was registered before'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "unregister" -d 'Take the registration back: the server hears no more of this machine but its reports'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "replay" -d 'Convert archived files again and send the reports that change'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "rescue" -d 'Show what was done about a damaged database, or confirm that you have seen it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "sandbox" -d 'Look at the sandbox in which foreign converters run'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "completions" -d 'Print the completions of this command line for a shell'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "make-key" -d 'Make the machine key, under which credentials are kept; one that is there stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "worker" -d 'Convert what comes on standard input; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "sandboxed" -d 'Become the program that standard input names, in a box; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "share" -d 'Look after a network mount as standard input says; started by the agent itself'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and not __fish_seen_subcommand_from run convert recognise converters plugin check-config config status pause resume events sources upload files queue server station instances ledger import-pywats register unregister replay rescue sandbox completions make-key worker sandboxed share help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "list" -d 'List what lies in the plug-in folder, and how it stands'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "check" -d 'Say what is wrong with a plug-in, wherever it lies; 10 when something is. Needs no agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "try" -d 'Convert a sample with a plug-in of the running agent and keep nothing of it; 10 when it is not converted'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "upload" -d 'Put a plug-in of one file into the plug-in folder of the running agent'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "enable" -d 'Let sources of the running agent use a plug-in, with exactly its present content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "disable" -d 'Let no source use a plug-in any more; their files wait'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "remove" -d 'Remove a plug-in that no source uses'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Show the configuration that is in force'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "history" -d 'List the configurations that were in force, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "diff" -d 'Show what changed between two configurations of the history'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "rollback" -d 'Put a configuration of the history into force again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "list" -d 'List the watched folders'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "show" -d 'Show one with all its settings'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "add" -d 'Watch another folder'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "change" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "remove" -d 'Stop watching; the files stay where they are'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "pause" -d 'Take no files of this source'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sources" -f -a "resume" -d 'Take files of this source again'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from files" -f -a "list" -d 'List input files, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from files" -f -a "show" -d 'Show one file with its reports'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from files" -f -a "retry" -d 'Convert a failed file again, or all'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "list" -d 'List reports, newest first'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "show" -d 'Show one report: what came of it, the server\'s words, and with --json its content'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "retry" -d 'Send a refused report, or a waiting one, now; or all refused ones'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "discard" -d 'Give a refused report up, or all; it is kept for the record'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "correct" -d 'Put a corrected content in the place of a refused report\'s, and send it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "show" -d 'Show the settings, without the secret'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "test" -d 'Try the connection, with the options in the place of what is set; nothing is kept'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from station" -f -a "show" -d 'Show it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from station" -f -a "set" -d 'Change what the options say; everything else stays'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from ledger" -f -a "verify" -d 'Compute every hash again and say whether a record was changed or is missing'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from ledger" -f -a "export" -d 'Print the records of a time'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from ledger" -f -a "find" -d 'Say which files a serial number came from and whether the server has it'
complete -c wats-agent -n "__fish_wats_agent_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "status" -d 'Show which layers hold: in the running agent, or where none runs, if it ran as you do now'
