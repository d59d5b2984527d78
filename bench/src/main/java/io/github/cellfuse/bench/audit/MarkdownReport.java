package io.github.cellfuse.bench.audit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** An audit as a page: a table for each target, with a row for each kernel and the range of its variants' numbers. */
public final class MarkdownReport {
    private static final String SPIRV = "## SPIR-V\n";

    /**
     * A column of the tables.
     *
     * @param assembled whether NVIDIA's assembler decides the numbers
     * @param cell returns the text for all variants of a kernel
     */
    private record Column(String title, boolean assembled, Function<List<AuditResult>, String> cell) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("kernel", false, all -> "`" + all.get(0).variant().kernel() + "`"),
            new Column("variants", false, all -> "" + all.size()),
            new Column("registers", true, range(each -> each.resources().registers())),
            new Column("waves", true, range(AuditResult::waves)),
            new Column("spills", true, range(each -> each.resources().spills())),
            new Column(
                    "scratch B",
                    true,
                    range(each -> OptionalInt.of(each.resources().scratchBytes()))),
            new Column(
                    "local B",
                    false,
                    range(each ->
                            OptionalInt.of(each.compiled().code().resources().localBytes()))),
            new Column("fma_share", false, rangeOfLoops(Mix::fmaShare)),
            new Column("issue_share", false, rangeOfLoops(Mix::issueShare)),
            new Column("FMAs/instr.", false, rangeOfLoops(mix -> (double) mix.fmas() / mix.fmaInstructions())),
            new Column("local B/FMA", false, rangeOfLoops(Mix::localBytesPerFma)),
            new Column("local load B", false, range(each -> each.mix().narrowestLocalLoad())),
            new Column(
                    "B/cell",
                    false,
                    all -> Table.range(
                            all.stream().map(AuditResult::bytesOfCell).flatMapToDouble(OptionalDouble::stream),
                            "%.0f")));

    private final Audit audit;

    public MarkdownReport(Audit audit) {
        this.audit = audit;
    }

    /** Returns the page of the documentation: an introduction and the tables. */
    public String page() {
        return resource("introduction.md").replace("{limits}\n", limits()) + tables();
    }

    /**
     * Returns whether {@code page} was made with the same version of clang. Other versions compile kernels differently.
     */
    public boolean isComparable(String page) {
        return page.contains(compilerLine());
    }

    /**
     * Returns whether {@code page} agrees with this audit. A number is ignored if it comes from a program that is
     * missing here or has another version.
     */
    public boolean isSame(String page) {
        boolean sameAssembler = audit.assembler().isPresent() && page.contains(assemblerLine());
        return comparable(page(), sameAssembler).equals(comparable(page, sameAssembler));
    }

    private String comparable(String page, boolean sameAssembler) {
        return sections(page)
                .filter(section -> audit.spirv().isPresent() || !section.startsWith(SPIRV))
                .map(section -> sameAssembler ? section : withoutAssembler(section))
                .collect(Collectors.joining());
    }

    private static Stream<String> sections(String page) {
        return Stream.of(page.split("(?m)^(?=## )"));
    }

    /** Removes from a section what NVIDIA's assembler decides. */
    private static String withoutAssembler(String section) {
        boolean decides = Target.ALL.stream()
                .anyMatch(target ->
                        target.vendor() == Target.Vendor.NVIDIA && section.startsWith("## " + target.name() + ":"));
        return section.lines()
                .filter(line -> !line.contains("ptxas "))
                .map(line -> decides && line.startsWith("|") ? withoutAssembledCells(line) : line)
                .collect(Collectors.joining("\n"));
    }

    private static String withoutAssembledCells(String row) {
        String[] cells = row.split("\\|");
        return IntStream.range(0, COLUMNS.size())
                .filter(column -> !COLUMNS.get(column).assembled() && column + 1 < cells.length)
                .mapToObj(column -> cells[column + 1].trim())
                .collect(Collectors.joining("|"));
    }

    private String compilerLine() {
        return "Compiled by clang " + audit.compiler() + ".";
    }

    private String assemblerLine() {
        return audit.assembler()
                .map(version -> "Assembled by ptxas " + version + ".")
                .orElse("Without ptxas the registers, waves and spills of NVIDIA's GPUs are unknown.");
    }

    /** Returns the tables alone. */
    public String tables() {
        Map<Target, List<AuditResult>> byTarget = audit.results().stream()
                .collect(Collectors.groupingBy(AuditResult::target, LinkedHashMap::new, Collectors.toList()));
        StringBuilder text = new StringBuilder(compilerLine() + "\n" + assemblerLine() + "\n");
        byTarget.forEach((target, results) ->
                text.append("\n## " + target.name() + ": " + target.products() + "\n" + table(results)));
        return text + "\n" + LoopTables.of(audit.results()) + "\n" + SPIRV + spirv();
    }

    private static String table(List<AuditResult> results) {
        Table table = new Table(COLUMNS.stream().map(Column::title).toArray(String[]::new));
        results.stream()
                .collect(
                        Collectors.groupingBy(each -> each.variant().kernel(), LinkedHashMap::new, Collectors.toList()))
                .forEach((kernel, variants) -> table.add(COLUMNS.stream()
                        .map(column -> column.cell().apply(variants))
                        .toArray(String[]::new)));
        return table.toString();
    }

    private static Function<List<AuditResult>, String> range(Function<AuditResult, OptionalInt> number) {
        return all -> Table.range(
                all.stream().map(number).flatMapToInt(OptionalInt::stream).asDoubleStream(), "%.0f");
    }

    /** The numbers of inner loops. A kernel without one has none. */
    private static Function<List<AuditResult>, String> rangeOfLoops(ToDoubleFunction<Mix> number) {
        return all -> Table.range(
                all.stream()
                        .filter(each -> each.loops().isLoop())
                        .map(AuditResult::mix)
                        .mapToDouble(number),
                "%.2f");
    }

    private String spirv() {
        return audit.spirv()
                .map(all -> {
                    long valid = all.values().stream().filter(Optional::isEmpty).count();
                    StringBuilder text = new StringBuilder(valid + " of " + all.size()
                            + " variants are valid SPIR-V 1.0 for OpenCL 1.2 (`spirv-val`).\n");
                    all.forEach((variant, why) -> why.ifPresent(reason -> text.append("- ")
                            .append(variant)
                            .append(": ")
                            .append(reason)
                            .append('\n')));
                    return text.toString();
                })
                .orElse("Not checked: this machine has no `spirv-val`, or no `llvm-spirv` and clang of one version.\n");
    }

    private static String limits() {
        Table table = new Table("kernels", "limit");
        Limit.ALL.forEach(limit -> table.add(limit.kernels(), limit.rule()));
        return table.toString();
    }

    private static String resource(String name) {
        try (InputStream in = MarkdownReport.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AuditException(name + " can't be read from the jar", e);
        }
    }
}
