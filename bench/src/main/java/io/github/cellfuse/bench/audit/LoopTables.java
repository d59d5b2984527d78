package io.github.cellfuse.bench.audit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Stream;

/** Tables about the loops of kernels, with a row for each variant. */
final class LoopTables {
    private static final String NVIDIA = "NVIDIA";

    /** The results of each variant, by the name of the target's column. */
    private final Map<KernelVariant, Map<String, AuditResult>> byVariant = new LinkedHashMap<>();

    private final List<String> targets;

    private LoopTables(List<AuditResult> results) {
        for (AuditResult result : results) {
            byVariant
                    .computeIfAbsent(result.variant(), variant -> new LinkedHashMap<>())
                    .putIfAbsent(column(result.target()), result);
        }
        targets = Target.ALL.stream()
                .filter(target ->
                        results.stream().anyMatch(each -> each.target().equals(target)))
                .map(LoopTables::column)
                .distinct()
                .toList();
    }

    /** NVIDIA's targets have the same listing. */
    private static String column(Target target) {
        return target.vendor() == Target.Vendor.NVIDIA ? NVIDIA : target.name();
    }

    /** Returns the sections of {@code results}. */
    static String of(List<AuditResult> results) {
        LoopTables tables = new LoopTables(results);
        return "## Inner loops: FMA:LDS:LDG:int:other for each k\n"
                + tables.counts(Loops::ofK)
                + "\n## Around the inner loops: FMA:LDS:LDG:int:other of a pass\n"
                + tables.counts(Loops::ofAround)
                + "\n## Global memory\n"
                + tables.memory();
    }

    private Table counts(Function<Loops, Optional<Counts>> of) {
        Table table =
                new Table(Stream.concat(Stream.of("variant"), targets.stream()).toArray(String[]::new));
        byVariant.forEach((variant, results) -> {
            List<String> cells = targets.stream()
                    .map(target -> Optional.ofNullable(results.get(target))
                            .flatMap(result -> of.apply(result.loops()))
                            .map(Counts::toString)
                            .orElse(Table.NONE))
                    .toList();
            if (cells.stream().anyMatch(cell -> !cell.equals(Table.NONE))) {
                table.add(row(variant, cells));
            }
        });
        return table;
    }

    private Table memory() {
        Table table = new Table(
                "variant",
                "16 B share",
                "narrowest B",
                "executed",
                "inner loads",
                "sectors",
                "loads around",
                "sectors");
        byVariant.forEach((variant, results) -> {
            List<Mix> both = results.values().stream()
                    .map(result -> result.loops().both())
                    .toList();
            Optional<Loops> run = Optional.ofNullable(results.get(NVIDIA)).map(AuditResult::loops);
            List<String> cells = new ArrayList<>();
            cells.add(Table.range(both.stream().map(Mix::wideShare).flatMapToDouble(OptionalDouble::stream), "%.2f"));
            cells.add(Table.range(
                    both.stream()
                            .map(Mix::narrowestGlobalLoad)
                            .flatMapToInt(OptionalInt::stream)
                            .asDoubleStream(),
                    "%.0f"));
            cells.add(run.flatMap(Loops::executedOfK).map(Counts::toString).orElse(Table.NONE));
            for (Optional<Requests> requests :
                    List.of(run.flatMap(Loops::requests), run.flatMap(Loops::requestsAround))) {
                cells.add(requests.map(Requests::loads)
                        .filter(text -> !text.isEmpty())
                        .orElse(Table.NONE));
                cells.add(Table.range(
                        requests.map(Requests::sectorsPerNeeded).stream().flatMapToDouble(OptionalDouble::stream),
                        "%.2f"));
            }
            table.add(row(variant, cells));
        });
        return table;
    }

    private static String[] row(KernelVariant variant, List<String> cells) {
        String name = "`" + variant.kernel() + "` " + variant.title();
        return Stream.concat(Stream.of(name), cells.stream()).toArray(String[]::new);
    }
}
