package io.github.cellfuse.bench.audit;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.TextFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The program behind {@code bench/audit-kernels}, a script that finds the compilers. */
@Command(
        name = "audit-kernels",
        mixinStandardHelpOptions = true,
        versionProvider = AuditKernels.LibraryVersion.class,
        header = "Compile the kernels for GPUs that aren't present, and check limits on the result.",
        footerHeading = "%nExit codes:%n",
        footer = {
            "  0  every limit holds",
            "  1  a limit is broken, a page is out of date, or a compiler failed",
            "  2  the arguments are wrong"
        })
final class AuditKernels implements Callable<Integer> {
    /** Exit code: a limit is broken, a page is out of date, or a compiler failed. */
    private static final int FAILED = 1;

    /** Exit code: the arguments are wrong. */
    private static final int INVALID = 2;

    /** The version in the manifest of the library's jar. */
    static final class LibraryVersion implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = CellFuseException.class.getPackage().getImplementationVersion();
            return new String[] {"cellfuse " + (version == null ? "development" : version)};
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--target",
            paramLabel = "T",
            description = "A target, such as gfx90a or sm_80. May be repeated. Default: all.")
    private List<String> targets = List.of();

    @Option(names = "--markdown", paramLabel = "F.md", description = "Write the page instead of printing the tables.")
    private Path markdown;

    @Option(names = "--json", paramLabel = "F.json", description = "Write all numbers of all variants as JSON.")
    private Path json;

    @Option(
            names = "--check",
            paramLabel = "F.md",
            description =
                    "Compare with the page instead of printing the tables. Numbers that come from another version of a"
                            + " compiler aren't compared.")
    private Path check;

    @Option(names = "--clang", required = true, description = "LLVM's compiler.")
    private String clang;

    @Option(names = "--libclc", required = true, description = "The folder of libclc's bitcode.")
    private Path libclc;

    @Option(names = "--ptxas", description = "NVIDIA's assembler.")
    private String ptxas;

    @ArgGroup(exclusive = false)
    private SpirvOptions spirv;

    /** Either all of them are given or none. */
    private static final class SpirvOptions {
        @Option(names = "--spirv-clang", required = true, description = "A compiler of the translator's version.")
        private String clang;

        @Option(names = "--llvm-spirv", required = true, description = "The translator.")
        private String translator;

        @Option(names = "--spirv-val", required = true, description = "The validator.")
        private String validator;
    }

    /** The program; the only place that ends the process. */
    public static void main(String... args) {
        PrintWriter out = new PrintWriter(System.out, true), err = new PrintWriter(System.err, true);
        System.exit(execute(out, err, args));
    }

    /**
     * Runs a command line in this process.
     *
     * @return the exit code
     */
    static int execute(PrintWriter out, PrintWriter err, String... args) {
        return new CommandLine(new AuditKernels())
                .setOut(out)
                .setErr(err)
                .setUsageHelpWidth(100)
                .setExpandAtFiles(false)
                .setParameterExceptionHandler(
                        (e, given) -> report(err, e.getMessage() + "; see bench/audit-kernels --help", INVALID))
                .setExecutionExceptionHandler((e, command, parsed) -> {
                    if (!(e instanceof CellFuseException)) {
                        throw e;
                    }
                    return report(err, e.getMessage(), e instanceof InvalidInputException ? INVALID : FAILED);
                })
                .execute(args);
    }

    /** Prints an error and returns {@code code}. */
    private static int report(PrintWriter err, String error, int code) {
        err.println("cellfuse: error: " + error);
        return code;
    }

    @Override
    public Integer call() {
        if (!targets.isEmpty() && (markdown != null || check != null)) {
            throw new InvalidInputException(
                    "--target can't be combined with --markdown or --check, which cover all targets");
        }
        Toolchain tools = new Toolchain(
                clang,
                libclc,
                Optional.ofNullable(ptxas),
                Optional.ofNullable(spirv)
                        .map(each -> new Toolchain.Spirv(each.clang, each.translator, each.validator)));
        Audit audit = Audit.of(tools, KernelVariant.gpu(), targets);
        return report(audit);
    }

    private int report(Audit audit) {
        PrintWriter out = spec.commandLine().getOut(), err = spec.commandLine().getErr();
        MarkdownReport report = new MarkdownReport(audit);
        if (markdown != null) {
            TextFile.write(markdown, true, report.page());
        }
        if (json != null) {
            TextFile.write(json, true, JsonReport.text(audit));
        }
        boolean stale = check != null && isStale(report, err);
        if (markdown == null && check == null) {
            out.print(report.tables());
            out.flush();
        }
        List<String> broken = audit.broken();
        broken.forEach(each -> err.println("cellfuse: limit broken: " + each));
        return stale || !broken.isEmpty() ? FAILED : 0;
    }

    private boolean isStale(MarkdownReport report, PrintWriter err) {
        String page = TextFile.read(check);
        if (!report.isComparable(page)) {
            err.println("cellfuse: " + check + " can't be compared: another version of clang made it");
            return false;
        }
        boolean stale = !report.isSame(page);
        if (stale) {
            err.println("cellfuse: " + check + " is out of date; run bench/audit-kernels --markdown " + check);
        }
        return stale;
    }
}
