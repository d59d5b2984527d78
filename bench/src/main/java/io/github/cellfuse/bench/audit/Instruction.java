package io.github.cellfuse.bench.audit;

import java.util.List;
import java.util.Optional;

/**
 * One instruction of a listing, reduced to what an audit needs. Immutable.
 *
 * @param mnemonic the assembler's name, without the operands and, on AMD, without the encoding ({@code _e32})
 * @param kind the unit that executes it
 * @param fmas multiply-adds of a lane: two in a packed instruction
 * @param operations operations of a lane on the vector ALU: two in a packed or paired instruction; 0 for other kinds
 * @param bytes bytes that a lane moves; 0 for what isn't a load or a store
 * @param sums the sums that its multiply-adds continue
 * @param jump the label of a jump
 * @param fallsThrough whether the next line may be reached from here
 */
record Instruction(
        String mnemonic,
        Kind kind,
        int fmas,
        int operations,
        int bytes,
        List<Sum> sums,
        Optional<String> jump,
        boolean fallsThrough)
        implements Line {

    /** The unit that executes an instruction. */
    enum Kind {
        /** The vector ALU. */
        VECTOR,
        /** A load from local memory. */
        LOCAL_LOAD,
        /** A store to local memory. */
        LOCAL_STORE,
        /** A load from global memory. */
        GLOBAL_LOAD,
        /** A store to global memory. */
        GLOBAL_STORE,
        /** A load from or a store to a work-item's private memory, which lies in global memory. */
        SCRATCH,
        /** A branch, a barrier, a wait or scalar arithmetic: it takes an issue slot only. */
        OTHER,
        /** An instruction that the assembler removes. */
        NOTHING
    }

    /** The result of a multiply-add, and the addend. */
    record Sum(String result, String addend) {}

    /** Returns whether it loads from or stores to global memory. */
    boolean isGlobal() {
        return kind == Kind.GLOBAL_LOAD || kind == Kind.GLOBAL_STORE;
    }

    static Instruction vector(String mnemonic, int operations, int fmas, List<Sum> sums) {
        return new Instruction(mnemonic, Kind.VECTOR, fmas, operations, 0, sums, Optional.empty(), true);
    }

    static Instruction memory(String mnemonic, Kind kind, int bytes) {
        return new Instruction(mnemonic, kind, 0, 0, bytes, List.of(), Optional.empty(), true);
    }

    static Instruction other(String mnemonic) {
        return new Instruction(mnemonic, Kind.OTHER, 0, 0, 0, List.of(), Optional.empty(), true);
    }

    static Instruction nothing(String mnemonic) {
        return new Instruction(mnemonic, Kind.NOTHING, 0, 0, 0, List.of(), Optional.empty(), true);
    }

    static Instruction jump(String mnemonic, String label, boolean conditional) {
        return new Instruction(mnemonic, Kind.OTHER, 0, 0, 0, List.of(), Optional.of(label), conditional);
    }

    static Instruction end(String mnemonic, boolean conditional) {
        return new Instruction(mnemonic, Kind.OTHER, 0, 0, 0, List.of(), Optional.empty(), conditional);
    }
}
