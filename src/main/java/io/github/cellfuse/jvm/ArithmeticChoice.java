package io.github.cellfuse.jvm;

import java.util.Locale;
import org.slf4j.LoggerFactory;

/**
 * An arithmetic for the {@code java} device, and why it is that one: the JVM's vectors where they are switched on and pass a test,
 * else plain loops.
 *
 * @param arithmetic the arithmetic
 * @param reason what it is, or why it isn't the faster one
 */
record ArithmeticChoice(Arithmetic arithmetic, String reason) {
    private static final String MODULE = "jdk.incubator.vector";

    /** {@code auto}, {@code on} (from the first run) or {@code off}. */
    private static final String WANTED = System.getProperty("cellfuse.vectors", "auto");

    /** Made once, when they are first of use: loading and testing the vectors takes a fifth of a second. */
    private static final class Best {
        static final ArithmeticChoice CHOICE = choose(WANTED, isEnabled(), "io.github.cellfuse.jvm.VectorArithmetic");
    }

    /** What an engine begins with: in a short life vectors don't pay. */
    static ArithmeticChoice first() {
        if (WANTED.equals("auto") && isEnabled()) {
            return plain(
                    String.format(Locale.ROOT, "vectors pay from %.0f GFLOP on", ModelWeights.VECTORS_FROM * 1e-9));
        }
        return best();
    }

    /** What an engine goes on with when there is much to do. */
    static ArithmeticChoice best() {
        return Best.CHOICE;
    }

    private static boolean isEnabled() {
        return ModuleLayer.boot().findModule(MODULE).isPresent();
    }

    /**
     * @param wanted the system property {@code cellfuse.vectors}
     * @param enabled whether the module is there
     * @param vectors the class to load, by its name: without the module it couldn't even be linked
     */
    static ArithmeticChoice choose(String wanted, boolean enabled, String vectors) {
        if (wanted.equals("off")) {
            return plain("vectors are switched off by -Dcellfuse.vectors=off");
        }
        if (!enabled) {
            return plain("vectors need java --add-modules " + MODULE);
        }
        String failure;
        try {
            Arithmetic arithmetic =
                    (Arithmetic) Class.forName(vectors).getDeclaredConstructor().newInstance();
            failure = ArithmeticSelfTest.failure(arithmetic);
            if (failure == null) {
                return new ArithmeticChoice(arithmetic, arithmetic.name());
            }
        } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
            // the module incubates: what a later Java has changed shows when it is used
            failure = "this Java's vectors can't be used: " + e;
        }
        LoggerFactory.getLogger(ArithmeticChoice.class).warn("the java device falls back to plain loops: {}", failure);
        return plain(failure);
    }

    private static ArithmeticChoice plain(String why) {
        Arithmetic plain = new PlainArithmetic();
        return new ArithmeticChoice(plain, plain.name() + ": " + why);
    }
}
