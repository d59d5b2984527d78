package io.github.cellfuse.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.LstmWeights;
import org.junit.jupiter.api.Test;

class ArithmeticChoiceTest {
    @Test
    void vectorsCanBeSwitchedOff() {
        ArithmeticChoice choice = ArithmeticChoice.choose("off", true, "nobody.asks.for.It");
        assertInstanceOf(PlainArithmetic.class, choice.arithmetic());
        assertEquals("plain loops: vectors are switched off by -Dcellfuse.vectors=off", choice.reason());
    }

    @Test
    void withoutTheModuleTheyAreNotLoaded() {
        ArithmeticChoice choice = ArithmeticChoice.choose("on", false, "nobody.asks.for.It");
        assertInstanceOf(PlainArithmetic.class, choice.arithmetic());
        assertEquals("plain loops: vectors need java --add-modules jdk.incubator.vector", choice.reason());
    }

    @Test
    void whatCannotBeLinkedIsLeftWithTheReason() {
        ArithmeticChoice choice = ArithmeticChoice.choose("on", true, Unlinkable.class.getName());
        assertInstanceOf(PlainArithmetic.class, choice.arithmetic());
        assertTrue(choice.reason().startsWith("plain loops: this Java's vectors can't be used: "), choice.reason());
        assertTrue(choice.reason().contains("NoSuchMethodError: fromArray"), choice.reason());
    }

    @Test
    void whatGivesOtherBitsIsLeftWithTheReason() {
        ArithmeticChoice choice = ArithmeticChoice.choose("on", true, Wrong.class.getName());
        assertInstanceOf(PlainArithmetic.class, choice.arithmetic());
        assertTrue(
                choice.reason().startsWith("plain loops: wrong ones failed the opening self-test: "), choice.reason());
    }

    /** As a Java would be whose module has changed. */
    static final class Unlinkable implements Arithmetic {
        @Override
        public PackedWeights pack(LstmWeights weights) {
            throw new NoSuchMethodError("fromArray");
        }

        @Override
        public String tile(int units) {
            return "any";
        }

        @Override
        public String name() {
            return "never linked";
        }
    }

    /** Takes the forget gate's bias twice. */
    static final class Wrong implements Arithmetic {
        @Override
        public PackedWeights pack(LstmWeights weights) {
            float[] bias = weights.bias();
            bias[weights.hiddenSize()] *= 2;
            return PlainWeights.of(LstmWeights.builder(weights.inputSize(), weights.hiddenSize())
                    .input(weights.input())
                    .recurrent(weights.recurrent())
                    .inputBias(bias)
                    .build());
        }

        @Override
        public String tile(int units) {
            return "any";
        }

        @Override
        public String name() {
            return "wrong ones";
        }
    }
}
