package io.github.cellfuse.onnx.shape;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.shape.RowCase.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rule of each operator: rows that it proves are independent, and those that aren't are not proven. */
class RulesTest {
    @TempDir
    Path folder;

    static List<RowCase> cases() {
        return Stream.of(
                        ElementCases.all(),
                        ShapeCases.all(),
                        SelectionCases.all(),
                        AxisCases.all(),
                        ProductCases.all(),
                        SizeCases.all(),
                        BranchCases.all())
                .flatMap(List::stream)
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void findsWhetherRowsAreIndependent(RowCase each) throws IOException {
        each.check(folder, TestEngines.seed(1));
    }

    /**
     * The rows that are independent in a batch are found where the model is made for one of them, with few exceptions.
     */
    @Test
    void findsTheOnlyRow() throws IOException {
        List<RowCase> proven =
                cases().stream().filter(each -> each.kind() == Kind.PROVEN).toList();
        List<RowCase> unknown = new ArrayList<>();
        for (RowCase each : proven) {
            boolean isKnown = assertDoesNotThrow(() -> each.checkSingle(folder, TestEngines.seed(1)), each::toString);
            if (!isKnown) {
                unknown.add(each);
            }
        }
        assertTrue(unknown.size() < proven.size() / 50, unknown.toString());
    }

    @Test
    void theOnlyRowDecidesConditions() throws IOException {
        RowCase byCount = RowCase.refuses(
                "If",
                "x:N,3",
                "s = Shape(x); n = Gather(s, 0); c = Equal(n, 1);"
                        + " y = If(c) then_branch={a = Tanh(x) => a} else_branch={b = ReduceSum(x, [0]) => b}",
                "y:0",
                "y: chooses a branch by the number of rows");
        byCount.check(folder, 1);
        assertTrue(byCount.checkSingle(folder, 1));
    }

    @Test
    void everyOperatorHasACaseThatIsProven() {
        Set<String> expected = new TreeSet<>(Rules.operators());
        expected.removeAll(AxisCases.MIXING);
        assertEquals(expected, operators(each -> each.kind() == Kind.PROVEN || each.kind() == Kind.PROVEN_WITH_SHAPES));
    }

    @Test
    void everyOperatorThatCanMixRowsHasACaseThatIsNot() {
        Set<String> missing = new TreeSet<>(Rules.operators());
        missing.removeAll(ElementCases.rowwise());
        missing.removeAll(operators(each -> each.kind() == Kind.MIXED || each.kind() == Kind.REFUSED));
        assertTrue(missing.isEmpty(), missing.toString());
    }

    private static Set<String> operators(Predicate<RowCase> which) {
        return cases().stream()
                .filter(which)
                .map(RowCase::operator)
                .filter(Rules.operators()::contains)
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
