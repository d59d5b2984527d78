package io.github.cellfuse.cli;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cli.bench.BenchCommand;
import io.github.cellfuse.cli.completion.CompletionCommand;
import io.github.cellfuse.cli.convert.ConvertCommand;
import io.github.cellfuse.cli.demo.DemoCommand;
import io.github.cellfuse.cli.devices.DevicesCommand;
import io.github.cellfuse.cli.info.InfoCommand;
import io.github.cellfuse.cli.run.RunCommand;
import io.github.cellfuse.cli.trace.TraceCommand;
import io.github.cellfuse.cli.tune.TuneCommand;
import io.github.cellfuse.cli.verify.VerifyCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program {@code cellfuse}: {@code cellfuse --help}. */
@Command(
        name = "cellfuse",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "LSTM inference on any OpenCL device, from Java, with the same bits on every device.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse run model.safetensors x.npy -o y.npy",
            "  cellfuse info model.safetensors",
            "  cellfuse devices",
            "",
            "'cellfuse COMMAND --help' explains a command, with examples."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Done.",
            "1:The run failed: a device, the disk or the memory.",
            "2:The input or the arguments are wrong. Nothing was computed or written."
        },
        // Each command is one line here and one class.
        subcommands = {
            DemoCommand.class,
            RunCommand.class,
            VerifyCommand.class,
            TraceCommand.class,
            BenchCommand.class,
            TuneCommand.class,
            InfoCommand.class,
            ConvertCommand.class,
            DevicesCommand.class,
            CompletionCommand.class,
        })
public final class CellFuse implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(
            names = Errors.DEBUG,
            scope = ScopeType.INHERIT,
            description = "Add the stack trace to an error message. Also allowed after the command.")
    @SuppressWarnings("unused") // read from the arguments directly, because it must work even if they can't be parsed
    private boolean debug;

    private final boolean ownsStderr;

    /** For the generator of man pages, which only reads the options. */
    private CellFuse() {
        this(false);
    }

    private CellFuse(boolean ownsStderr) {
        this.ownsStderr = ownsStderr;
    }

    /** Runs the program. Only this method ends the process. */
    public static void main(String... args) {
        // Before the arguments are parsed: that creates loggers.
        Logging.configure(Arrays.stream(args).anyMatch(arg -> arg.equals("-q") || arg.equals("--quiet")));
        Stdout stdout = new Stdout();
        PrintWriter out = new PrintWriter(stdout, true);
        PrintWriter err = new PrintWriter(System.err, true);
        int code = new CellFuse(true).start(out, err, args);
        System.exit(stdout.failure().map(e -> reportLostOutput(err, e, args)).orElse(code));
    }

    /**
     * Runs a command line in this process.
     *
     * @param out receives what the command prints
     * @param err receives errors and messages
     * @return the exit code
     */
    static int execute(PrintWriter out, PrintWriter err, String... args) {
        return new CellFuse(false).start(out, err, args);
    }

    private static int reportLostOutput(PrintWriter err, IOException cause, String... args) {
        return errors(err, args).report(new CellFuseException("stdout: writing failed: " + cause.getMessage(), cause));
    }

    private static Errors errors(PrintWriter err, String... args) {
        return new Errors(err, Arrays.asList(args).contains(Errors.DEBUG));
    }

    private int start(PrintWriter out, PrintWriter err, String... args) {
        Errors errors = errors(err, args);
        try {
            return new CommandLine(this)
                    .setOut(out)
                    .setErr(err)
                    .setUsageHelpWidth(100)
                    .setCaseInsensitiveEnumValuesAllowed(true)
                    // A file name may start with @.
                    .setExpandAtFiles(false)
                    .setParameterExceptionHandler((e, given) -> errors.report(e))
                    .setExecutionExceptionHandler((e, command, parsed) -> errors.report(e))
                    .execute(args);
        } catch (Error e) {
            // picocli doesn't handle errors, such as a lack of memory or an incompatible library.
            return errors.report(e);
        } finally {
            out.flush();
            err.flush();
        }
    }

    /** Returns whether messages go to a terminal, where a line can be overwritten. */
    public boolean isTerminal() {
        return ownsStderr && Terminal.isStderr();
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "expected a command: " + String.join(", ", spec.subcommands().keySet()));
    }
}
