package io.github.cellfuse.bench.audit;

import java.util.List;
import java.util.Optional;

/** PTX like that of LLVM, small enough to follow by hand, and the variants that it stands for. */
final class PtxText {
    private PtxText() {}

    /** A variant with parameters x and units, and with one multiply-add for each k. */
    static KernelVariant variant(String kernel) {
        String source = "__kernel void " + kernel + "(__global const float* x,  // [..] (all)\n    int units) { }";
        return new KernelVariant(kernel, "1x1", List.of(source), "-D WG_UNITS=8 -D WG_ROWS=16", 128, 64, 128, 1);
    }

    /**
     * Two stages, in each of which a lane loads {@code load} from {@code address} and then multiplies for three k.
     *
     * @param address operations that make the address {@code %rd2} of {@code %tid.x} in {@code %r1}, {@code %tid.y} in
     *     {@code %r2} and the buffer in {@code %rd1}
     */
    static String staged(String kernel, String address, String load) {
        return """
                .entry {kernel}(
                )
                {
                	ld.param.u64 	%rd1, [{kernel}_param_0];
                	mov.u32 	%r1, %tid.x;
                	mov.u32 	%r2, %tid.y;
                	{address}
                	mov.b32 	%r8, 0;
                $L__stage:
                	{load};
                	mov.b32 	%r9, 0;
                $L__k:
                	ld.shared.v4.f32 	{%f1, %f2, %f3, %f4}, [%r7];
                	fma.rn.f32 	%f20, %f1, %f2, %f20;
                	add.s32 	%r9, %r9, 1;
                	setp.lt.s32 	%p1, %r9, 3;
                	@%p1 bra 	$L__k;
                	bar.sync 	0;
                	add.s32 	%r8, %r8, 1;
                	setp.ne.s32 	%p2, %r8, 2;
                	@%p2 bra 	$L__stage;
                	st.global.f32 	[%rd2], %f20;
                	ret;
                }
                """.replace("{kernel}", kernel).replace("{address}", address).replace("{load}", load);
    }

    /** The same with {@code load} in the inner loop. */
    static String direct(String kernel, String address, String load) {
        return staged(kernel, address, "mov.b32 %r9, 0").replace("\tld.shared", "\t" + load + ";\n\tld.shared");
    }

    static AuditResult result(KernelVariant variant, String text) {
        KernelCode code = Ptx.parse(text, variant.kernel());
        Compiled compiled = new Compiled(code, Optional.empty(), Optional.of(Warp.run(text, variant)));
        return AuditResult.of(variant, Target.named("sm_75"), compiled);
    }
}
