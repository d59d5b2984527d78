package io.github.cellfuse.jvm;

import java.util.Locale;
import org.slf4j.LoggerFactory;

/**
 * The arithmetic of the {@code java} device, and the reason for the choice: the JVM's vectors if they are switched on
 * and pass a test, else plain loops.
 *
 * @param arithmetic the arithmetic
 * @param reason the arithmetic's name, and why it isn't a faster one
 */
record ArithmeticChoice(Arithmetic arithmetic, String reason) {
    private static final String MODULE = "jdk.incubator.vector";

    /** {@code auto}, {@code on} (vectors from the first run) or {@code off}. */
    private static final String WANTED = System.getProperty("cellfuse.vectors", "auto");

    /** Created only when needed, because loading and testing the vectors takes a fifth of a second. */
    private static final class Best {
        static final ArithmeticChoice CHOICE = choose(WANTED, isEnabled(), "io.github.cellfuse.jvm.VectorArithmetic");
    }

    /** Whether an engine of this process has asked for the best arithmetic, and so paid for its start. */
    private static volatile boolean isStarted;

    /**
     * Returns the arithmetic that an engine starts with. Vectors don't pay off in a short run, unless another engine
     * has started them.
     */
    static ArithmeticChoice first() {
        if (WANTED.equals("auto") && isEnabled() && !isStarted) {
            return plain(
                    String.format(Locale.ROOT, "vectors pay off from %.0f GFLOP", ModelWeights.VECTORS_FROM * 1e-9));
        }
        return best();
    }

    /** Returns the arithmetic that an engine continues with when there is much to compute. */
    static ArithmeticChoice best() {
        isStarted = true;
        return Best.CHOICE;
    }

    private static boolean isEnabled() {
        return ModuleLayer.boot().findModule(MODULE).isPresent();
    }

    /**
     * Chooses an arithmetic.
     *
     * @param wanted the system property {@code cellfuse.vectors}
     * @param enabled whether the vector module is present
     * @param vectors name of the class to load; without the module this class can't even be linked
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
            // The module is in incubation: a change in a later Java only shows when it is used.
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
