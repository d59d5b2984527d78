package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A rule that kernels must keep on every target. A number that isn't known, because NVIDIA's assembler is missing,
 * breaks no rule.
 *
 * @param kernels the kernels that the rule is about, in words
 * @param rule the rule, in words
 * @param which whether the rule is about a result
 * @param wrong the number that breaks the rule; empty if the rule holds
 */
record Limit(String kernels, String rule, Predicate<AuditResult> which, Function<AuditResult, Optional<String>> wrong) {

    /**
     * A limit that doesn't hold.
     *
     * @param found what holds instead
     */
    record Breach(AuditResult result, Limit limit, String found) {
        @Override
        public String toString() {
            return result + ": expected " + limit.rule + ", found " + found;
        }
    }

    private static final String TILED = "tiled products";
    private static final String STREAMED = "tiled products and `lstm_step_narrow`";
    private static final String PRODUCTS = "tiled and narrow products";
    private static final String SEQUENCE = "`lstm_sequence_tiled`";
    private static final String STAGED = PRODUCTS + ", and " + SEQUENCE;

    /** Sectors for each one that is needed: 1 if loads are coalesced. */
    private static final double MOST_SECTORS = 1.1;

    /** All limits. */
    static final List<Limit> ALL = List.of(
            new Limit("all", "no spills", all -> true, result -> {
                int spills = result.resources().spills().orElse(0);
                return unless(spills == 0, spills);
            }),
            new Limit(STAGED, "no scratch memory", Limit::staged, result -> {
                int bytes = result.resources().scratchBytes();
                return unless(bytes == 0, bytes + " bytes");
            }),
            new Limit(
                    STAGED + ", except on gfx906",
                    "registers for two waves of a SIMD or more",
                    each -> staged(each) && !each.target().name().equals("gfx906"),
                    result -> {
                        int waves = result.waves().orElse(2);
                        return unless(waves >= 2, waves);
                    }),
            new Limit(TILED, "fma_share of 0.9 or more", Limit::tiled, result -> {
                double share = result.mix().fmaShare();
                return unless(share >= 0.9, decimals(share));
            }),
            new Limit(TILED, "issue_share of 0.8 or more", Limit::tiled, result -> {
                double share = result.mix().issueShare();
                return unless(share >= 0.8, decimals(share));
            }),
            new Limit(
                    TILED + " on gfx90a and gfx942",
                    "packed multiply-adds in the inner loop",
                    each -> tiled(each) && each.target().packs(),
                    result -> {
                        Mix mix = result.mix();
                        return unless(
                                2 * mix.fmaInstructions() == mix.fmas(),
                                mix.fmas() + " in " + mix.fmaInstructions() + " instructions");
                    }),
            new Limit(PRODUCTS, "loads of 16 bytes from local memory in the inner loop", Limit::product, result -> {
                int bytes = result.mix().narrowestLocalLoad().orElse(16);
                return unless(bytes >= 16, bytes);
            }),
            new Limit(TILED, "1.25 bytes or less of local memory for each multiply-add", Limit::tiled, result -> {
                double bytes = result.mix().localBytesPerFma();
                return unless(bytes <= 1.25, decimals(bytes));
            }),
            new Limit(PRODUCTS, "no loads from global memory in the inner loop", Limit::product, result -> {
                String loads = result.mix().accesses(Kind.GLOBAL_LOAD);
                return unless(loads.isEmpty(), loads);
            }),
            // Without any for the weights, it is half or less: x, too, has loads of 4 bytes, for rows that aren't
            // aligned.
            new Limit(STREAMED, "a 16 B share of more than 0.5", Limit::streamed, result -> {
                double share = result.loops().both().wideShare().orElse(0);
                return unless(share > 0.5, decimals(share));
            }),
            new Limit(
                    PRODUCTS + " on NVIDIA",
                    MOST_SECTORS + " sectors or less for each one that is needed",
                    Limit::product,
                    result -> tooManySectors(result.loops().requestsAround())),
            new Limit(SEQUENCE, "loads of 16 bytes from global memory in the inner loop", Limit::sequence, result -> {
                int bytes = result.mix().narrowestGlobalLoad().orElse(0);
                return unless(bytes >= 16, bytes);
            }),
            new Limit(
                    SEQUENCE + " on NVIDIA",
                    MOST_SECTORS + " sectors or less in the inner loop for each one that is needed",
                    Limit::sequence,
                    result -> tooManySectors(result.loops().requests())),
            new Limit(
                    "`lstm_cell`", "28 bytes a cell", each -> each.bytesOfCell().isPresent(), result -> {
                        double bytes = result.bytesOfCell().getAsDouble();
                        return unless(bytes == 28, bytes);
                    }));

    /** A product whose work-group shares a tile through local memory. */
    private static boolean tiled(AuditResult result) {
        String kernel = result.variant().kernel();
        return kernel.endsWith("_tiled") && !kernel.contains("sequence");
    }

    /** A product whose weights come from global memory at every stage. */
    private static boolean streamed(AuditResult result) {
        return tiled(result) || result.variant().kernel().equals("lstm_step_narrow");
    }

    private static boolean product(AuditResult result) {
        return streamed(result) || result.variant().kernel().equals("lstm_sequence_persistent");
    }

    private static boolean sequence(AuditResult result) {
        return result.variant().kernel().equals("lstm_sequence_tiled");
    }

    private static boolean staged(AuditResult result) {
        return product(result) || sequence(result);
    }

    private static Optional<String> tooManySectors(Optional<Requests> requests) {
        return requests.flatMap(all -> {
            double sectors = all.sectorsPerNeeded().orElse(1);
            return unless(sectors <= MOST_SECTORS, decimals(sectors) + " (" + all.loads() + ")");
        });
    }

    private static Optional<String> unless(boolean holds, Object found) {
        return holds ? Optional.empty() : Optional.of(found.toString());
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /** Returns the limits that {@code results} break, in the order of {@link #ALL}. */
    static List<Breach> broken(List<AuditResult> results) {
        return ALL.stream()
                .flatMap(limit -> results.stream()
                        .filter(limit.which)
                        .flatMap(result ->
                                limit.wrong.apply(result).stream().map(found -> new Breach(result, limit, found))))
                .toList();
    }
}
