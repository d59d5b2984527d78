package io.github.cellfuse.java;

import org.slf4j.LoggerFactory;

/**
 * Which arithmetic the {@code java} device uses, and why: the JVM's vectors where they are switched on and pass a test, else plain
 * loops.
 *
 * @param arithmetic the arithmetic
 * @param reason what it is, or why it isn't the faster one
 */
record ArithmeticChoice(Arithmetic arithmetic, String reason) {
    private static final String MODULE = "jdk.incubator.vector";

    /** Made once, when the first engine opens. */
    private static final class Holder {
        static final ArithmeticChoice CHOICE = choose(
                System.getProperty("cellfuse.vectors", "on"),
                ModuleLayer.boot().findModule(MODULE).isPresent(),
                "io.github.cellfuse.java.VectorArithmetic");
    }

    /** The choice for this JVM. */
    static ArithmeticChoice get() {
        return Holder.CHOICE;
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
