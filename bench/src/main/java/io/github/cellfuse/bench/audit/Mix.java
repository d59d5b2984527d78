package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import io.github.cellfuse.bench.audit.Instruction.Sum;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The instruction mix of an inner loop, or of a whole kernel that has none. Immutable. */
record Mix(List<Instruction> instructions) {
    /** Multiply-adds of a lane. */
    int fmas() {
        return instructions.stream().mapToInt(Instruction::fmas).sum();
    }

    /** Instructions that do multiply-adds. A packed one does two. */
    int fmaInstructions() {
        return count(each -> each.fmas() > 0);
    }

    /** Operations of a lane on the vector ALU. A packed or paired instruction has two. */
    int vectorOperations() {
        return instructions.stream().mapToInt(Instruction::operations).sum();
    }

    /** Instructions that go to the vector ALU. */
    int vectorInstructions() {
        return count(each -> each.kind() == Kind.VECTOR);
    }

    /** Instructions that take an issue slot. */
    int issued() {
        return count(each -> each.kind() != Kind.NOTHING);
    }

    /**
     * Instructions that are issued and don't go to the vector ALU: loads, stores, branches, waits, scalar arithmetic.
     */
    int notVector() {
        return issued() - vectorInstructions();
    }

    /** Multiply-adds as a share of all operations of the vector ALU; 0 if there are none. */
    double fmaShare() {
        return share(vectorOperations());
    }

    /** Multiply-adds as a share of everything that is issued; 0 if there is nothing. */
    double issueShare() {
        return share(vectorOperations() + notVector());
    }

    private double share(int all) {
        return all == 0 ? 0 : (double) fmas() / all;
    }

    /** Bytes of a lane that instructions of {@code kind} move. */
    int bytes(Kind kind) {
        return instructions.stream()
                .filter(each -> each.kind() == kind)
                .mapToInt(Instruction::bytes)
                .sum();
    }

    /** Bytes that a lane loads from and stores to global memory. */
    int globalBytes() {
        return bytes(Kind.GLOBAL_LOAD) + bytes(Kind.GLOBAL_STORE);
    }

    /** Bytes that a lane loads from and stores to local memory for each multiply-add. */
    double localBytesPerFma() {
        return (double) (bytes(Kind.LOCAL_LOAD) + bytes(Kind.LOCAL_STORE)) / fmas();
    }

    private int count(Predicate<Instruction> which) {
        return (int) instructions.stream().filter(which).count();
    }

    /** Bytes of the narrowest load from local memory; empty if there is no such load. */
    OptionalInt narrowestLocalLoad() {
        return narrowest(Kind.LOCAL_LOAD);
    }

    /** Bytes of the narrowest load from global memory; empty if there is no such load. */
    OptionalInt narrowestGlobalLoad() {
        return narrowest(Kind.GLOBAL_LOAD);
    }

    private OptionalInt narrowest(Kind kind) {
        return instructions.stream()
                .filter(each -> each.kind() == kind)
                .mapToInt(Instruction::bytes)
                .min();
    }

    /**
     * The part of the bytes loaded from and stored to global memory that instructions for 16 bytes move; empty if there
     * are none.
     */
    OptionalDouble wideShare() {
        int wide = instructions.stream()
                .filter(each -> each.isGlobal() && each.bytes() == 16)
                .mapToInt(Instruction::bytes)
                .sum();
        return globalBytes() == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) wide / globalBytes());
    }

    /** Returns the instructions of both. */
    Mix and(Mix other) {
        return new Mix(Stream.concat(instructions.stream(), other.instructions.stream())
                .toList());
    }

    /** Independent sums: the multiply-adds whose addend isn't the result of an earlier one. */
    int chains() {
        Set<String> results = new HashSet<>();
        int chains = 0;
        for (Instruction instruction : instructions) {
            for (Sum sum : instruction.sums()) {
                chains += results.contains(sum.addend())
                        ? 0
                        : instruction.fmas() / instruction.sums().size();
                results.add(sum.result());
            }
        }
        return chains;
    }

    /** Returns how often each instruction of {@code kinds} occurs: {@code 4×ds_read_b128, 2×ds_write_b64}. */
    String accesses(Kind... kinds) {
        Set<Kind> wanted = Set.of(kinds);
        Map<String, Long> counts = instructions.stream()
                .filter(each -> wanted.contains(each.kind()))
                .collect(Collectors.groupingBy(Instruction::mnemonic, TreeMap::new, Collectors.counting()));
        return counts.entrySet().stream()
                .map(each -> each.getValue() + "×" + each.getKey())
                .collect(Collectors.joining(", "));
    }
}
