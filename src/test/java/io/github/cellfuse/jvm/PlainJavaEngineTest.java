package io.github.cellfuse.jvm;

/** The {@code java} device as it is on a JVM without {@code jdk.incubator.vector}. */
class PlainJavaEngineTest extends JavaEngineTest {
    @Override
    ArithmeticChoice arithmetic() {
        return ArithmeticChoice.choose("on", false, "");
    }

    @Override
    String expectedReason() {
        return "plain loops: vectors need java --add-modules jdk.incubator.vector";
    }
}
