package io.github.cellfuse.audit;

import io.github.cellfuse.audit.Instruction.Kind;
import io.github.cellfuse.audit.Instruction.Sum;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What a stretch of instructions consists of: the inner loop, or a kernel that has none. Immutable. */
record Mix(List<Instruction> instructions) {
    /** Multiply-adds of a lane. */
    int fmas() {
        return instructions.stream().mapToInt(Instruction::fmas).sum();
    }

    /** Operations of a lane on the vector ALU, with both of a packed or paired instruction. */
    int vectorOperations() {
        return instructions.stream().mapToInt(Instruction::operations).sum();
    }

    /** Instructions that go to the vector ALU. */
    int vectorInstructions() {
        return count(Kind.VECTOR);
    }

    /** All that takes an issue slot. */
    int issued() {
        return instructions.size() - count(Kind.NOTHING);
    }

    /** Multiply-adds as a share of all operations of the vector ALU; 0 where it has none. */
    double fmaShare() {
        return vectorOperations() == 0 ? 0 : (double) fmas() / vectorOperations();
    }

    /** Bytes of a lane through units of {@code kind}. */
    int bytes(Kind kind) {
        return instructions.stream()
                .filter(each -> each.kind() == kind)
                .mapToInt(Instruction::bytes)
                .sum();
    }

    int count(Kind kind) {
        return (int) instructions.stream().filter(each -> each.kind() == kind).count();
    }

    /** The narrowest load from local memory; 16 bytes where there is none. */
    int narrowestLocalLoad() {
        return instructions.stream()
                .filter(each -> each.kind() == Kind.LOCAL_LOAD)
                .mapToInt(Instruction::bytes)
                .min()
                .orElse(16);
    }

    /** Sums that don't wait for each other: the multiply-adds whose addend is no result of one before. */
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

    /** {@code 4×ds_read_b128, 2×ds_write_b64}. */
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
