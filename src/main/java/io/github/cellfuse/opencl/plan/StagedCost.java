package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.opencl.device.GpuCore;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;

/**
 * An estimate of the time that a GPU takes for a launch of staged tiles, in cycles of its busiest core. It is for
 * comparing tiles; {@code docs/design/plans.md} says how it fits what was measured. Immutable.
 *
 * <p>A group waits for its values from global memory at every stage. Groups that are resident in the same core compute
 * meanwhile. So of the groups side by side each stage takes the longest of three times: the multiply-adds of all of
 * them, their reads of local memory, and the stage of one group with its wait.
 *
 * @param core the GPU's cores
 * @param layer the sizes of the layer
 */
record StagedCost(GpuCore core, LayerSize layer) {
    /** Cycles in which a group waits at each stage: measured on an NVIDIA H200, with 4 and with 8 k a stage. */
    private static final double STAGE_WAIT = 1600;

    /** Registers of a work-item beside its sums and the values that it fetches, from what compilers take. */
    private static final int OTHER_REGISTERS = 64;

    /**
     * Registers of a work-item that has weights in registers: those beside its weights, and beside a sum and a
     * pre-activation of each row; and those of the weights that arrive in each step.
     */
    private static final int REGISTERS_BESIDE_WEIGHTS = 46, REGISTERS_OF_STREAM = 16;

    /** Instructions of the cell for a vector of units of a row. */
    private static final int CELL = 700;

    /** Bytes that a core's local memory delivers in a cycle. */
    private static final int LOCAL_BYTES = 128;

    /** Bytes that the cache beside it delivers in a cycle. */
    private static final int CACHE_BYTES = 64;

    /** Local memory of a group that the system takes for itself: 1 KiB on NVIDIA's GPUs from Ampere on. */
    private static final int SYSTEM_BYTES = 1024;

    /** Work-items that every core holds at least, if there are memory and registers for them. */
    private static final int MOST_ITEMS = 1024;

    private static final int GATES = 4;

    /** Cycles of a read of 16 bytes that all work-items of a wave share, and until it arrives. */
    private static final int SAME_READ = 2, READ_LATENCY = 30;

    /**
     * Cycles of a step of {@code lstm_sequence_registers} besides its products: for two barriers and a cell, whose
     * operations wait for each other, and for each further cell. Measured on an NVIDIA H200.
     */
    private static final int EXCHANGE = 450, CELL_IN_REGISTERS = 50;

    /** Registers that a work-item may have: a few less than the 255 of NVIDIA's GPUs. */
    private static final int MOST_REGISTERS = 248;

    /** Bytes of a read of local memory by a work-item. */
    private static final int READ = 16;

    /** Returns the cycles of a step over {@code rows} rows. */
    double step(Tile tile, long rows) {
        int depth = tile.staging().depth();
        int stages = (tile.hoisted() ? 0 : ceil(layer.inputs(), depth)) + ceil(layer.recurrent(), depth);
        double vectors = tile.staging().isNarrow() ? 1.0 / tile.vec() : 1;
        return cycles(tile, rows, stages, CELL * vectors * tile.rows());
    }

    /** Returns the cycles of the input's product of {@code rows} rows, those of all steps counted. */
    double projection(Tile tile, long rows) {
        return cycles(tile, rows, ceil(layer.inputs(), tile.staging().depth()), 0);
    }

    /** Returns the cycles of a step of a whole sequence over {@code rows} rows, without what a wait adds to each. */
    double persistentStep(Tile tile, long rows) {
        int perCore = (int) ((groups(tile, rows) + core.cores() - 1) / core.cores());
        int stages = ceil(layer.recurrent(), tile.staging().depth());
        return sideBySide(tile, perCore, stages, (double) CELL * tile.rows() / tile.vec());
    }

    /**
     * Returns the cycles of a step of a whole sequence over {@code rows} rows, for all turns of the groups, by
     * work-items that have their weights in registers.
     */
    double registerStep(Tile tile, long rows) {
        long groups = (groups(tile, rows) + core.cores() - 1) / core.cores();
        int resident = resident(tile), left = (int) (groups % resident);
        return groups / resident * registerStep(tile, resident) + (left > 0 ? registerStep(tile, left) : 0);
    }

    /**
     * Returns the cycles of a step of some groups that a core runs side by side. Their waves are in step with each
     * other, so reads of local memory and multiply-adds take turns.
     */
    private double registerStep(Tile tile, int groups) {
        Staging group = tile.staging();
        int waves = core.waves(group.workItems()) * groups, units = tile.groupUnits(), columns = group.columns();
        double all = ceil(waves, core.schedulers()) * (double) core.wave() / core.lanes();
        double multiplyAdds = all * units * columns * tile.rows();
        double reads = (double) waves * tile.rows() * ceil(units, 4) * SAME_READ;
        double wait = waves > columns * core.schedulers() ? 0 : READ_LATENCY * ceil(units, 4);
        double streamed =
                (double) waves * core.wave() * columns * (units - group.resident()) * Float.BYTES / CACHE_BYTES;
        double cells = all * CELL_IN_REGISTERS * ceil(columns * tile.rows(), GATES);
        return Math.max(multiplyAdds + reads + wait, streamed) + EXCHANGE + cells;
    }

    /** Returns whether a core has enough registers for the weights of {@code tile}. */
    boolean holds(Tile tile) {
        return registers(tile) <= MOST_REGISTERS && held(tile) > 0;
    }

    /** Returns whether the GPU holds all work-groups of a launch over {@code rows} rows at the same time. */
    boolean runTogether(Tile tile, long rows) {
        Staging group = tile.staging();
        long byItems = MOST_ITEMS / Math.max(core.wave(), group.workItems());
        return groups(tile, rows) <= Math.min(core.together(), core.cores() * Math.min(byItems, held(tile)));
    }

    /** Returns the work-groups of a launch over {@code rows} rows. */
    long groups(Tile tile, long rows) {
        return tile.groupsDown(rows) * tile.groupsAlong(Tile.blocks(layer.units(), tile.vec())) * layer.directions();
    }

    /** Returns the groups that a core holds side by side: at least 1. */
    int resident(Tile tile) {
        return (int) Math.max(1, held(tile));
    }

    /** Returns the groups that a core's memory and registers hold, by estimates of what they take. */
    private long held(Tile tile) {
        Staging group = tile.staging();
        long byMemory = core.localBytes() / (group.bytes(tile.rows()) + SYSTEM_BYTES);
        long byRegisters = core.registers() / ((long) group.workItems() * registers(tile));
        return Math.min(byMemory, byRegisters);
    }

    private double cycles(Tile tile, long rows, int stages, double epilogue) {
        long groups = (groups(tile, rows) + core.cores() - 1) / core.cores();
        int resident = resident(tile);
        double whole = groups / resident * sideBySide(tile, resident, stages, epilogue);
        int left = (int) (groups % resident);
        return whole + (left > 0 ? sideBySide(tile, left, stages, epilogue) : 0);
    }

    /** Returns the cycles of some groups that a core runs side by side. */
    private double sideBySide(Tile tile, int groups, int stages, double epilogue) {
        Staging group = tile.staging();
        int waves = core.waves(group.workItems());
        double cyclesPerInstruction = (double) core.wave() / core.lanes();
        double one = ceil(waves, core.schedulers()) * cyclesPerInstruction;
        double all = ceil(waves * groups, core.schedulers()) * cyclesPerInstruction;
        double multiplyAdds = (double) GATES * group.itemUnits() * tile.rows() * group.depth();
        double reads = (double) waves * groups * reads(tile) * group.depth() * core.wave() * READ / LOCAL_BYTES;
        double stage = Math.max(Math.max(all * multiplyAdds, reads), one * multiplyAdds + STAGE_WAIT);
        return stages * stage + all * epilogue;
    }

    /** Returns the reads of 16 bytes of local memory that a work-item needs for each k. */
    private static double reads(Tile tile) {
        double x = tile.rows() / 4.0;
        return tile.staging().isNarrow() ? 1 + x : GATES + x;
    }

    private static int registers(Tile tile) {
        Staging group = tile.staging();
        if (group.isInRegisters()) {
            int stream = group.resident() < tile.groupUnits() ? REGISTERS_OF_STREAM : 0;
            return REGISTERS_BESIDE_WEIGHTS + group.columns() * (group.resident() + 2 * tile.rows()) + stream;
        }
        int sums = GATES * group.itemUnits() * tile.rows();
        return OTHER_REGISTERS + sums + 4 * group.fetches(tile.rows());
    }

    private static int ceil(int all, int part) {
        return (all + part - 1) / part;
    }
}
