package io.github.cellfuse.bench.audit;

/** Listings like those of LLVM for AMD, small enough to count by hand. */
final class AmdText {
    private AmdText() {}

    /**
     * A kernel whose loop has 5 multiply-adds in 4 instructions (one is packed), 2 other vector operations, one 16-byte
     * load from local memory and one from global memory.
     */
    static String kernel(String name, int registers, int vectorSpills) {
        return """
        \t.text
        {name}:                              ; @{name}
        ; %bb.0:
        \ts_load_dwordx2 s[0:1], s[6:7], 0x18
        \tv_mov_b32_e32 v1, 0
        \ts_cbranch_scc1 .LBB0_3
        .LBB0_1:                                ; =>This Inner Loop Header: Depth=1
        \tds_read_b128 v[4:7], v2
        \tglobal_load_dwordx4 v[8:11], v[12:13], off offset:16
        \ts_waitcnt vmcnt(0)
        \tv_fmac_f32_e32 v20, v4, v8
        \tv_fma_f32 v21, v4, v9, v21
        \tv_fmac_f32_e32 v20, v5, v8
        \tv_pk_fma_f32 v[22:23], v[4:5], v[8:9], v[22:23] op_sel_hi:[0,1,1]
        \tv_add_co_u32_e32 v12, vcc, 16, v12
        \tv_addc_co_u32_e32 v13, vcc, 0, v13, vcc
        \ts_cbranch_scc0 .LBB0_1
        .LBB0_3:
        \tglobal_store_dwordx4 v[12:13], v[20:23], off
        \ts_endpgm
        .Lfunc_end0:
        \tv_fma_f32 v0, v0, v0, v0
        amdhsa.kernels:
          - .agpr_count:     0
            .args:
              - .address_space:  global
                .name:           {name}
            .group_segment_fixed_size: 1024
            .name:           {name}
            .private_segment_fixed_size: 16
            .sgpr_count:     28
            .sgpr_spill_count: 3
            .vgpr_count:     {registers}
            .vgpr_spill_count: {spills}
        """.replace("{name}", name)
                .replace("{registers}", "" + registers)
                .replace("{spills}", "" + vectorSpills);
    }

    /** The same kernel without scratch memory. */
    static String withoutScratch(String name, int registers) {
        return kernel(name, registers, 0)
                .replace("private_segment_fixed_size: 16\n", "private_segment_fixed_size: 0\n");
    }

    /**
     * The same kernel without scratch memory, with few registers and with {@code fmas} more multiply-adds in its loop.
     * The load from global memory is in a loop around it.
     */
    static String product(String name, int fmas) {
        StringBuilder loop = new StringBuilder();
        for (int k = 0; k < fmas; k++) {
            loop.append("\tv_fma_f32 v%d, v4, v9, v%d\n".formatted(k, k));
        }
        return withoutScratch(name, 24)
                .replaceFirst("\tglobal_load_.*\n", "")
                .replaceFirst("\\.LBB0_1:", ".LBB0_0:\n\tglobal_load_dwordx4 v[8:11], v[12:13], off\n.LBB0_1:")
                .replace("\ts_cbranch_scc0 .LBB0_1\n", "\ts_cbranch_scc0 .LBB0_1\n\ts_cbranch_scc0 .LBB0_0\n")
                .replace("\tv_fma_f32 v21, v4, v9, v21\n", loop);
    }
}
