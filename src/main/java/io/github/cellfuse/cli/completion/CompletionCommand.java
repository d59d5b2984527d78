package io.github.cellfuse.cli.completion;

import io.github.cellfuse.cli.Version;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cellfuse completion}: prints the script by which a shell completes commands and options. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Print a script by which bash completes commands and options.",
        description = {
            "",
            "It completes commands, options, file names, and the values of --device, --plan and --weights.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(cellfuse completion)",
            "  cellfuse completion > ~/.local/share/bash-completion/completions/cellfuse"
        })
public final class CompletionCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine()
                .getOut()
                .print(AutoComplete.bash("cellfuse", spec.root().commandLine()));
    }
}
