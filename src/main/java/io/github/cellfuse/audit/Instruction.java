package io.github.cellfuse.audit;

import java.util.List;
import java.util.Optional;

/**
 * One instruction of a listing, reduced to what an audit asks. Immutable.
 *
 * @param mnemonic as the assembler spells it, without the operands; of AMD's, also without the encoding ({@code _e32})
 * @param kind the unit that it keeps busy
 * @param fmas multiply-adds of a lane: two in a packed instruction
 * @param operations of a lane on the vector ALU, packed and paired ones counted apart; 0 for every other kind
 * @param bytes that a lane moves; 0 for what isn't a load or a store
 * @param sums the chains that its multiply-adds continue
 * @param jump the label that it may go on at
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

    /** What an instruction keeps busy. */
    enum Kind {
        /** The vector ALU. */
        VECTOR,
        /** A load from local memory. */
        LOCAL_LOAD,
        /** A store to local memory. */
        LOCAL_STORE,
        /** A load from or a store to global memory. */
        GLOBAL,
        /** A work-item's own memory, which is global memory in disguise. */
        SCRATCH,
        /** A branch, a barrier, a wait, scalar arithmetic: what has an issue slot and nothing else. */
        OTHER,
        /** What the assembler turns into nothing. */
        NOTHING
    }

    /** A multiply-add's result and what it adds to. */
    record Sum(String result, String addend) {}

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
