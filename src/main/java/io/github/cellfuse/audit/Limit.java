package io.github.cellfuse.audit;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Something that must hold of kernels on every target. What isn't known, for want of NVIDIA's assembler, breaks nothing.
 *
 * @param kernels which ones, in words
 * @param rule what must hold, in words
 * @param which of all results it is about
 * @param wrong what is found instead; empty where it holds
 */
record Limit(
        String kernels,
        String rule,
        UnaryOperator<Stream<AuditResult>> which,
        Function<AuditResult, Optional<String>> wrong) {

    /**
     * A limit that doesn't hold.
     *
     * @param found what does
     */
    record Breach(AuditResult result, Limit limit, String found) {
        @Override
        public String toString() {
            return result + ": expected " + limit.rule + ", found " + found;
        }
    }

    private static final String TILED = "products that share a tile through local memory";

    private static final String BEST = TILED + ": the best variant of each kernel on each target";

    /** All of them. */
    static final List<Limit> ALL = List.of(
            new Limit("all", "no spills", all -> all, result -> {
                int spills = result.resources().spills().orElse(0);
                return unless(spills == 0, spills);
            }),
            new Limit(TILED, "no scratch memory", Limit::tiled, result -> {
                int bytes = result.resources().scratchBytes();
                return unless(bytes == 0, bytes + " bytes");
            }),
            new Limit(TILED, "fma_share of 0.85 or more", Limit::tiled, result -> {
                double share = result.mix().fmaShare();
                return unless(share >= 0.85, decimals(share));
            }),
            new Limit(TILED, "loads of 16 bytes from local memory in the inner loop", Limit::tiled, result -> {
                int bytes = result.mix().narrowestLocalLoad();
                return unless(bytes >= 16, bytes);
            }),
            new Limit(
                    BEST,
                    "a predicted 0.7 of the peak or more (N ≥ 1024, H ≥ 512)",
                    all -> best(all).filter(each -> !unpaired(each)),
                    result -> ofPeak(result, 0.7)),
            new Limit(
                    BEST
                            + " on gfx1100, where the goal of 0.7 is missed: its peak counts multiply-adds in pairs, and LLVM makes none in the"
                            + " product's loop",
                    "a predicted 0.45 of the peak or more",
                    all -> best(all).filter(Limit::unpaired),
                    result -> ofPeak(result, 0.45)),
            new Limit(
                    "`lstm_cell`",
                    "28 bytes a cell",
                    all -> all.filter(each -> each.bytesOfCell().isPresent()),
                    result -> {
                        double bytes = result.bytesOfCell().getAsDouble();
                        return unless(bytes == 28, bytes);
                    }));

    private static Stream<AuditResult> tiled(Stream<AuditResult> all) {
        return all.filter(each ->
                each.variant().workGroup() > 0 && !each.variant().kernel().contains("sequence"));
    }

    /** Small tiles are for few rows: what counts for many is the best. */
    private static Stream<AuditResult> best(Stream<AuditResult> all) {
        return tiled(all)
                .filter(each -> each.prediction().isPresent())
                .collect(Collectors.toMap(
                        each -> each.variant().kernel() + each.target(),
                        each -> each,
                        BinaryOperator.maxBy(Comparator.comparingDouble(
                                each -> each.prediction().orElseThrow().ofPeak())),
                        LinkedHashMap::new))
                .values()
                .stream();
    }

    private static boolean unpaired(AuditResult result) {
        return result.target().name().equals("gfx1100");
    }

    private static Optional<String> ofPeak(AuditResult result, double least) {
        Prediction found = result.prediction().orElseThrow();
        return unless(found.ofPeak() >= least, decimals(found.ofPeak()) + " by " + found.limit());
    }

    private static Optional<String> unless(boolean holds, Object found) {
        return holds ? Optional.empty() : Optional.of(found.toString());
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /** What {@code results} break, by limit. */
    static List<Breach> broken(List<AuditResult> results) {
        return ALL.stream()
                .flatMap(limit -> limit.which
                        .apply(results.stream())
                        .flatMap(result ->
                                limit.wrong.apply(result).stream().map(found -> new Breach(result, limit, found))))
                .toList();
    }
}
