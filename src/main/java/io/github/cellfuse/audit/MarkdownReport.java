package io.github.cellfuse.audit;

import io.github.cellfuse.audit.Instruction.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An audit as tables. */
public final class MarkdownReport {
    /** Sections that take more than clang. */
    private static final String SPIRV = "## SPIR-V\n",
            ASSEMBLED = "## NVIDIA: what ptxas makes of it\n",
            DEEPBENCH = "## DeepBench's shapes: a prediction\n";

    private static final String UNKNOWN = "–";

    private final Audit audit;

    public MarkdownReport(Audit audit) {
        this.audit = audit;
    }

    /** The page of the documentation: the tables after an explanation. */
    public String page() {
        String introduction = resource("introduction.md")
                .replace("{limits}\n", limits())
                .replace("{units}\n", units())
                .replace("{gpus}\n", gpus());
        return introduction + "\n" + tables();
    }

    /** Whether {@code page} comes from the same version of the compiler: another one makes something else of the kernels. */
    public boolean isComparable(String page) {
        return page.contains(compilerLine());
    }

    /** Whether {@code page} says what this audit does, apart from what takes a program that is missing here or has another version. */
    public boolean isSame(String page) {
        Set<String> apart = new HashSet<>();
        if (audit.spirv().isEmpty()) {
            apart.add(SPIRV);
        }
        if (audit.assembler().isEmpty() || !page.contains(assemblerLine())) {
            apart.addAll(Set.of(ASSEMBLED, DEEPBENCH));
        }
        return without(apart, page()).equals(without(apart, page));
    }

    private static String without(Set<String> titles, String page) {
        return Stream.of(page.split("(?m)^(?=## )"))
                .filter(section -> titles.stream().noneMatch(section::startsWith))
                .collect(Collectors.joining());
    }

    private String compilerLine() {
        return "Compiled by clang " + audit.compiler() + ".";
    }

    private String assemblerLine() {
        return audit.assembler()
                .map(version -> "Assembled by ptxas " + version + ".")
                .orElse(
                        "There is no ptxas on this machine: registers, spills and waves of NVIDIA's GPUs aren't known.");
    }

    /** The tables alone. */
    public String tables() {
        return compilerLine() + "\n\n## Inner loops\n" + loops() + "\n## `lstm_cell`\n" + cells() + "\n" + SPIRV
                + spirv()
                + "\n## AMD: registers, waves, prediction\n" + needs(Target.Vendor.AMD) + "\n" + ASSEMBLED
                + assemblerLine()
                + "\n" + (audit.assembler().isPresent() ? "\n" + needs(Target.Vendor.NVIDIA) : "")
                + "\n" + DEEPBENCH + deepBench();
    }

    /** What the compiler knows alone. */
    private String loops() {
        Table table = new Table(
                "kernel",
                "variant",
                "target",
                "FMAs",
                "other vector",
                "not vector",
                "fma_share",
                "scratch B",
                "local B",
                "local accesses",
                "global accesses");
        for (AuditResult result : audit.results()) {
            Mix mix = result.mix();
            Resources code = result.compiled().code().resources();
            table.add(
                    kernel(result),
                    result.variant().title(),
                    result.target().name(),
                    result.isLoop() ? "" + mix.fmas() : "(" + mix.fmas() + ")",
                    "" + (mix.vectorOperations() - mix.fmas()),
                    "" + (mix.issued() - mix.vectorInstructions()),
                    decimals(mix.fmaShare()),
                    "" + code.scratchBytes(),
                    "" + code.localBytes(),
                    mix.accesses(Kind.LOCAL_LOAD, Kind.LOCAL_STORE),
                    mix.accesses(Kind.GLOBAL));
        }
        return table.toString();
    }

    private String needs(Target.Vendor vendor) {
        Table table = new Table(
                "kernel",
                "variant",
                "target",
                "registers",
                "scalar",
                "spills",
                "scalar spills",
                "scratch B",
                "local B",
                "groups/CU",
                "waves/CU",
                "waves by",
                "issue",
                "local",
                "caches",
                "latency",
                "of peak");
        for (AuditResult result : audit.results()) {
            if (result.target().vendor() == vendor) {
                Resources needs = result.resources();
                Optional<Occupancy> waves = result.occupancy();
                Optional<Prediction> share = result.prediction();
                table.add(
                        kernel(result),
                        result.variant().title(),
                        result.target().name(),
                        number(needs.registers()),
                        number(needs.scalarRegisters()),
                        number(needs.spills()),
                        number(needs.scalarSpills()),
                        "" + needs.scratchBytes(),
                        "" + needs.localBytes(),
                        cell(waves.filter(all -> all.groups() > 0), all -> "" + all.groups()),
                        cell(waves, all -> "" + all.waves()),
                        cell(waves, Occupancy::limit),
                        cell(share, all -> decimals(all.issue())),
                        cell(share, all -> decimals(all.local())),
                        cell(share, all -> decimals(all.global())),
                        cell(share, all -> decimals(all.latency())),
                        cell(share, all -> "**" + decimals(all.ofPeak()) + "**"));
            }
        }
        return table.toString();
    }

    private static String kernel(AuditResult result) {
        return "`" + result.variant().kernel() + "`";
    }

    private static <T> String cell(Optional<T> value, Function<T, String> text) {
        return value.map(text).orElse(UNKNOWN);
    }

    private String cells() {
        Table table = new Table(
                "variant", "target", "bytes a cell", "global accesses, those of incomplete vectors among them");
        for (AuditResult result : audit.results()) {
            result.bytesOfCell()
                    .ifPresent(bytes -> table.add(
                            result.variant().title(),
                            result.target().name(),
                            String.format(Locale.ROOT, "%.0f", bytes),
                            result.mix().accesses(Kind.GLOBAL)));
        }
        return table.toString();
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
                .orElse(
                        "Not checked: this machine has no `llvm-spirv` with a clang of the same version, or no `spirv-val`.\n");
    }

    private String deepBench() {
        Table table = new Table("H×N×T", "device", "predicted ms", "TFLOP/s", "by", "published ms", "kernel");
        for (DeepBench.Gpu gpu : DeepBench.GPUS) {
            for (DeepBench.Shape shape : DeepBench.SHAPES) {
                DeepBench.predict(gpu, shape, audit.results())
                        .ifPresent(time -> table.add(
                                shape.toString(),
                                gpu.name(),
                                String.format(Locale.ROOT, "%.3f", time.seconds() * 1e3),
                                decimals(shape.flop() / time.seconds() / 1e12),
                                time.limit(),
                                shape.published(gpu).isPresent()
                                        ? String.format(
                                                Locale.ROOT,
                                                "%.3f",
                                                shape.published(gpu).getAsDouble())
                                        : UNKNOWN,
                                time.kernel()));
            }
        }
        return table.toString();
    }

    private static String limits() {
        Table table = new Table("kernels", "limit");
        Limit.ALL.forEach(limit -> table.add(limit.kernels(), limit.rule()));
        return table.toString();
    }

    private static String units() {
        Table table = new Table(
                "target",
                "such as",
                "SIMDs",
                "lanes",
                "registers/lane",
                "granule",
                "wave slots/SIMD",
                "groups",
                "local KiB",
                "FMA/clock",
                "L1 B/clock",
                "L2 B/clock",
                "latency: FMA",
                "local",
                "L2");
        for (Target target : Target.ALL) {
            ComputeUnit unit = target.unit();
            table.add(
                    target.name(),
                    target.products(),
                    "" + unit.simds(),
                    "" + unit.lanes(),
                    "" + unit.registers(),
                    "" + unit.registerGranule(),
                    "" + unit.waveSlots(),
                    "" + unit.groupSlots(),
                    "" + unit.localBytes() / 1024,
                    "" + unit.peak(),
                    "" + unit.level1(),
                    "" + unit.level2(),
                    "" + unit.fmaLatency(),
                    "" + unit.localLatency(),
                    "" + unit.globalLatency());
        }
        return table.toString();
    }

    private static String gpus() {
        Table table = new Table("device", "TFLOP/s", "GB/s", "L2 MiB", "compute units", "audited as", "figures from");
        for (DeepBench.Gpu gpu : DeepBench.GPUS) {
            table.add(
                    gpu.name(),
                    String.format(Locale.ROOT, "%.1f", gpu.flops() / 1e12),
                    String.format(Locale.ROOT, "%.0f", gpu.bandwidth() / 1e9),
                    "" + (gpu.cache() >> 20),
                    "" + gpu.units(),
                    gpu.target(),
                    gpu.source());
        }
        return table.toString();
    }

    private static String number(OptionalInt value) {
        return value.isPresent() ? "" + value.getAsInt() : UNKNOWN;
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private static String resource(String name) {
        try (InputStream in = MarkdownReport.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AuditException(name + " can't be read from the jar", e);
        }
    }
}
