package io.github.cellfuse.bench.audit;

import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * How many instructions of some lines are issued. Immutable.
 *
 * @param fma multiply-adds; a packed or paired instruction is one
 * @param localLoads loads from local memory
 * @param globalLoads loads from global memory
 * @param vector other operations of the vector ALU: nearly all of them compute addresses and conditions
 * @param rest stores, branches, barriers, waits and scalar arithmetic
 */
record Counts(double fma, double localLoads, double globalLoads, double vector, double rest) {
    /**
     * Counts the instructions of {@code part}.
     *
     * @param times how often the instruction at a position is issued
     */
    static Counts of(ControlFlow.Part part, IntToDoubleFunction times) {
        double fma = 0, localLoads = 0, globalLoads = 0, vector = 0, rest = 0;
        for (var each : part.instructions().entrySet()) {
            double issued = times.applyAsDouble(each.getKey());
            switch (each.getValue().kind()) {
                case VECTOR -> {
                    fma += each.getValue().fmas() > 0 ? issued : 0;
                    vector += each.getValue().fmas() > 0 ? 0 : issued;
                }
                case LOCAL_LOAD -> localLoads += issued;
                case GLOBAL_LOAD -> globalLoads += issued;
                case NOTHING -> {}
                default -> rest += issued;
            }
        }
        return new Counts(fma, localLoads, globalLoads, vector, rest);
    }

    Counts plus(Counts other) {
        return new Counts(
                fma + other.fma,
                localLoads + other.localLoads,
                globalLoads + other.globalLoads,
                vector + other.vector,
                rest + other.rest);
    }

    /** Returns the five numbers in the order of the components: {@code 64:5:0:2.5:1}. */
    @Override
    public String toString() {
        return DoubleStream.of(fma, localLoads, globalLoads, vector, rest)
                .mapToObj(count -> String.format(Locale.ROOT, "%.1f", count).replaceFirst("\\.0$", ""))
                .collect(Collectors.joining(":"));
    }
}
