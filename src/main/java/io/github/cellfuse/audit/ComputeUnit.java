package io.github.cellfuse.audit;

/**
 * What a compute unit (NVIDIA: streaming multiprocessor) has, as the vendors document it. A SIMD is one of its parts with registers
 * and a scheduler of its own. Immutable; {@link Target} has the values and where they come from.
 *
 * @param simds parts
 * @param lanes work-items of a wave
 * @param clocks that a vector instruction of a wave keeps a SIMD's ALU busy
 * @param fmasPerInstruction multiply-adds of a lane that one instruction can do at the peak: 2 where they can be packed or paired
 * @param sharedIssue whether loads, branches and the like take the scheduler's slots from the vector ALU
 * @param registers of a lane, in a SIMD, for all of its waves
 * @param registerGranule registers are handed out to a wave in multiples of it
 * @param waveSlots waves of a SIMD
 * @param groupSlots work-groups of a compute unit
 * @param localBytes local memory
 * @param localGranule it is handed out in multiples of it
 * @param localReserved bytes of it that each work-group loses to the system
 * @param level1 bytes a clock from the nearest cache
 * @param level2 bytes a clock from the shared cache, each compute unit's part
 * @param fmaLatency clocks until a multiply-add's result can be used
 * @param localLatency clocks until a load from local memory has come
 * @param globalLatency clocks until a load has come from the shared cache
 */
record ComputeUnit(
        int simds,
        int lanes,
        int clocks,
        int fmasPerInstruction,
        boolean sharedIssue,
        int registers,
        int registerGranule,
        int waveSlots,
        int groupSlots,
        int localBytes,
        int localGranule,
        int localReserved,
        int level1,
        int level2,
        int fmaLatency,
        int localLatency,
        int globalLatency) {

    /** Bytes a clock from local memory: 32 banks of 4 bytes, everywhere. */
    static final int LOCAL_BYTES = 128;

    /** Multiply-adds a clock at the peak. */
    int peak() {
        return simds * lanes / clocks * fmasPerInstruction;
    }

    /**
     * Waves that fit: as many as a SIMD has slots and registers for, and of whole work-groups as many as local memory is for.
     *
     * <pre>
     *   waves of a SIMD  = min(waveSlots, registers / roundUp(kernel's registers, registerGranule))
     *   groups           = min(groupSlots, simds · waves of a SIMD / waves of a group, localBytes / (roundUp(kernel's, localGranule) + reserved))
     * </pre>
     *
     * @param kernelRegisters of a lane
     * @param kernelLocal bytes of a work-group
     * @param workGroup its work-items; 0 where the driver chooses: no work-group then limits anything
     */
    Occupancy occupancy(int kernelRegisters, int kernelLocal, int workGroup) {
        int byRegisters = registers / roundUp(Math.max(1, kernelRegisters), registerGranule);
        int ofSimd = Math.min(waveSlots, byRegisters);
        String limit = byRegisters < waveSlots ? "registers" : "wave slots";
        if (workGroup == 0) {
            return new Occupancy(0, simds * ofSimd, limit);
        }
        int wavesOfGroup = (workGroup + lanes - 1) / lanes, byWaves = simds * ofSimd / wavesOfGroup;
        int ofLocal = roundUp(kernelLocal, localGranule) + localReserved;
        int byLocal = ofLocal == 0 ? Integer.MAX_VALUE : localBytes / ofLocal;
        int groups = Math.min(byWaves, Math.min(byLocal, groupSlots));
        return new Occupancy(
                groups,
                groups * wavesOfGroup,
                groups == byWaves ? limit : groups == byLocal ? "local memory" : "work-group slots");
    }

    private static int roundUp(int size, int granule) {
        return (size + granule - 1) / granule * granule;
    }
}
