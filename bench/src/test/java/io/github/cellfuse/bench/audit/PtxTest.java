package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PtxTest {
    /** A loop that ends in two branches, as LLVM's do. */
    private static final String TEXT = """
            .entry other(
            )
            {
            	ret;
            }
            .entry lstm_step(
            	.param .u64 .ptr .global .align 4 lstm_step_param_0
            )
            {
            	.reg .pred 	%p<3>;
            	.local .align 16 .b8 	__local_depot2[16];
            	// demoted variable
            	.shared .align 16 .b8 lstm_step_$_tile[4352];
            	ld.param.u64 	%rd1, [lstm_step_param_0];
            	@%p1 bra 	$L__BB0_3;
            $L__BB0_2:
            	ld.shared.v4.f32 	{%f1, %f2, %f3, %f4}, [%r1];
            	ld.shared.f32 	%f5, [%r2];
            	ld.global.nc.f32 	%f6, [%rd1];
            	fma.rn.f32 	%f7, %f1, %f5, %f20;
            	fma.rn.f32 	%f8, %f2, %f5, %f21;
            	fma.rn.f32 	%f20, %f3, %f5, %f7;
            	mov.f32 	%f21, %f8;
            	add.s32 	%r1, %r1, 16;
            	setp.eq.s32 	%p2, %r1, %r3;
            	@%p2 bra 	$L__BB0_3;
            	bra.uni 	$L__BB0_2;
            $L__BB0_3:
            	st.local.v4.f32 	[%rd3], {%f1, %f2, %f3, %f4};
            	st.global.f32 	[%rd1], %f20;
            	ret;
            }
            """;

    @Test
    void countsTheLoop() {
        KernelCode code = Ptx.parse(TEXT, "lstm_step");
        Mix loop = code.flow().innerLoop().orElseThrow().mix();
        assertEquals(3, loop.fmas());
        assertEquals(5, loop.vectorOperations());
        assertEquals(10, loop.issued()); // all but the copy
        assertEquals(2, loop.chains());
        assertEquals("1×ld.shared.f32, 1×ld.shared.v4.f32", loop.accesses(Kind.LOCAL_LOAD));
        assertEquals(OptionalInt.of(4), loop.narrowestLocalLoad());
        assertEquals(20, loop.bytes(Kind.LOCAL_LOAD));
        assertEquals(4, loop.bytes(Kind.GLOBAL_LOAD));
    }

    @Test
    void readsTheArrays() {
        assertEquals(
                new Resources(
                        OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), 16, 4352),
                Ptx.parse(TEXT, "lstm_step").resources());
    }

    @Test
    void refusesACallOfWhatNothingDefines() {
        String text = ".entry k(\n)\n{\n\tcall.uni (retval0), _Z3expf, (param0);\n\tret;\n}\n";
        AuditException e = assertThrows(AuditException.class, () -> Ptx.parse(text, "k"));
        assertTrue(e.getMessage().contains("_Z3expf"), e.getMessage());
    }

    @Test
    void readsWhatTheAssemblerSays() {
        String said = """
                ptxas info    : Compiling entry function 'lstm_cell' for 'sm_80'
                ptxas info    : Function properties for lstm_cell
                    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
                ptxas info    : Used 32 registers, used 0 barriers, 408 bytes cmem[0]
                ptxas info    : Compiling entry function 'lstm_step' for 'sm_80'
                ptxas info    : Function properties for lstm_step
                    80 bytes stack frame, 60 bytes spill stores, 80 bytes spill loads
                ptxas info    : Used 255 registers, used 1 barriers, 16640 bytes smem, 400 bytes cmem[0]
                """;
        assertEquals(
                new Resources(
                        OptionalInt.of(255), OptionalInt.empty(), OptionalInt.of(140), OptionalInt.empty(), 80, 16640),
                PtxasReport.parse(said, "lstm_step"));
        assertEquals(
                new Resources(OptionalInt.of(32), OptionalInt.empty(), OptionalInt.of(0), OptionalInt.empty(), 0, 0),
                PtxasReport.parse(said, "lstm_cell"));
        assertThrows(AuditException.class, () -> PtxasReport.parse(said, "lstm_sequence"));
    }
}
