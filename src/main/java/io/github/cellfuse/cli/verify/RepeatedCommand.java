package io.github.cellfuse.cli.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** A command line that a user can copy into a shell. */
final class RepeatedCommand {
    private final CommandSpec spec;
    private final List<String> words = new ArrayList<>(List.of("cellfuse"));

    RepeatedCommand(CommandSpec spec, String... words) {
        this.spec = spec;
        add(List.of(words));
    }

    /** Adds arguments as they are. */
    void add(List<String> arguments) {
        words.addAll(arguments);
    }

    /** Adds the options with these names as the user gave them, if so. */
    void addGiven(String... names) {
        for (String name : names) {
            OptionSpec option = spec.commandLine().getParseResult().matchedOption(name);
            if (option != null) {
                for (String value : option.originalStringValues()) {
                    words.add(name);
                    words.add(value);
                }
            }
        }
    }

    @Override
    public String toString() {
        return words.stream().map(RepeatedCommand::quoted).collect(Collectors.joining(" "));
    }

    /** Quotes a word that a shell would take apart. */
    private static String quoted(String word) {
        return word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
