import ArgumentParser
import Console

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the script with which a shell completes command lines.",
        discussion: """
            For bash, into ~/.local/share/bash-completion/completions/lamina; for zsh, into a directory of $fpath as \
            _lamina; for fish, into ~/.config/fish/completions/lamina.fish. Packages have them.
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() {
        let script =
            switch shell {
            case .bash: Self.bash
            case .zsh: Self.zsh
            case .fish: Self.fish
            }
        CommandResult.write(Array(script.utf8))
    }

    /// The word by which the scripts ask for candidates.
    static let request = "__complete"

    /// Prints the candidates for the last word, a line each, with a tab before the description.
    static func complete(_ words: [String]) {
        let completion = Completion(sources: .machine(root(in: words)))
        for candidate in completion.candidates(for: words) {
            say(candidate.description.isEmpty ? candidate.word : "\(candidate.word)\t\(candidate.description)")
        }
    }

    /// The store that the words name with `--root`, else that of the configuration.
    private static func root(in words: [String]) -> String? {
        if let word = words.last(where: { $0.hasPrefix("--root=") }) { return String(word.dropFirst("--root=".count)) }
        if let place = words.lastIndex(of: "--root"), place + 1 < words.count { return words[place + 1] }
        let defaults = try? ConfiguredDefaults(environment: GlobalOptions.environment)
        let word = defaults?.words(for: ["images"], CommandGrammar(), mentioned: []).first
        return word.map { String($0.dropFirst("--root=".count)) }
    }

    private static let bash = """
        # bash completion for lamina
        _lamina() {
            local line=${COMP_LINE:0:COMP_POINT} words cur prefix= replies
            read -ra words <<<"$line"
            [[ $line == *[[:space:]] ]] && words+=("")
            cur=${words[${#words[@]}-1]}
            mapfile -t replies < <(lamina __complete "${words[@]:1}" 2>/dev/null | cut -f1)
            # Bash takes = and : for ends of words.
            if [[ $cur == *[:=]* ]]; then prefix=${cur%"${cur##*[:=]}"}; fi
            COMPREPLY=("${replies[@]#"$prefix"}")
            if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
        }
        complete -o default -F _lamina lamina

        """

    private static let zsh = """
        #compdef lamina
        _lamina() {
            local -a replies described unfinished
            local reply entry
            replies=("${(@f)$(lamina __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
            if [[ -z ${replies[1]} ]]; then
                _files
                return
            fi
            for reply in "${replies[@]}"; do
                entry="${${reply%%$'\\t'*}//:/\\\\:}:${${reply#*$'\\t'}:-}"
                # A value is to follow at once.
                if [[ ${reply%%$'\\t'*} == *= ]]; then unfinished+=("$entry"); else described+=("$entry"); fi
            done
            (( ! $#unfinished )) || _describe lamina unfinished -S ''
            (( ! $#described )) || _describe lamina described
        }
        if [ "$funcstack[1]" = "_lamina" ]; then _lamina "$@"; else compdef _lamina lamina; fi

        """

    private static let fish = """
        # fish completion for lamina
        function __lamina_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l replies (lamina __complete $words[2..-1] 2>/dev/null)
            if test (count $replies) -gt 0
                printf '%s\\n' $replies
            else
                __fish_complete_path (commandline -ct)
            end
        end
        complete -c lamina -f -a '(__lamina_complete)'

        """
}
