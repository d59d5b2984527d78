package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ControlFlowTest {
    /**
     * Parses words: {@code name:} is a label, {@code ?name} a conditional jump, {@code !name} a jump, {@code .} the
     * end, and a number that many FMAs.
     */
    private static ControlFlow flow(String words) {
        List<Line> lines = new ArrayList<>();
        for (String word : words.split(" ")) {
            if (word.endsWith(":")) {
                lines.add(new Line.Label(word.substring(0, word.length() - 1)));
            } else if (word.startsWith("?") || word.startsWith("!")) {
                lines.add(Instruction.jump("jump", word.substring(1), word.startsWith("?")));
            } else if (word.equals(".")) {
                lines.add(Instruction.end("end", false));
            } else {
                int fmas = Integer.parseInt(word);
                lines.add(Instruction.vector("fma", fmas, fmas, List.of()));
            }
        }
        return new ControlFlow(lines);
    }

    private static int loopFmas(String words) {
        return flow(words).innerLoop().orElseThrow().mix().fmas();
    }

    @Test
    void takesTheInnermostLoop() {
        assertEquals(2, loopFmas("100 outer: 50 inner: 2 ?inner 50 ?outer 100 ."));
    }

    @Test
    void takesTheLoopWithTheMostMultiplyAdds() {
        assertEquals(7, loopFmas("a: 3 ?a b: 7 ?b c: 5 ?c ."));
    }

    @Test
    void findsTheBlocksOfALoopThatAreElsewhere() {
        assertEquals(6, loopFmas("head: 1 ?far near: 2 ?head . far: 3 !near"));
    }

    @Test
    void aLoopWithTwoWaysBackIsOne() {
        assertEquals(6, loopFmas("head: 1 ?second 2 !head second: 3 ?head ."));
    }

    @Test
    void theLoopAroundIsTheSmallestWithoutTheInnerOne() {
        ControlFlow flow = flow("100 outer: 50 middle: 3 inner: 20 ?inner 4 ?middle 50 ?outer 100 .");
        assertEquals(7, flow.aroundInnerLoop().orElseThrow().mix().fmas());
        assertEquals(4, flow.aroundInnerLoop().orElseThrow().instructions().firstKey());
        assertTrue(flow("a: 3 ?a b: 7 ?b .").aroundInnerLoop().isEmpty());
        assertTrue(flow("1 .").aroundInnerLoop().isEmpty());
    }

    @Test
    void aBackwardJumpAloneIsNoLoop() {
        assertTrue(flow("!start early: 9 . start: 1 !early").innerLoop().isEmpty());
        assertTrue(flow("loop: 0 ?loop 5 .").innerLoop().isEmpty());
    }

    @Test
    void theHeaviestPathGoesAroundLoops() {
        ControlFlow flow = flow("1 ?other 10 ?end loop: 100 ?loop !end other: 20 end: 2 .");
        assertEquals(23, new Mix(flow.heaviestPath(Instruction::fmas)).fmas());
    }

    @Test
    void refusesAJumpToNowhere() {
        assertThrows(AuditException.class, () -> flow("1 ?nowhere ."));
    }

    @Test
    void aCellOfFourUnitsThatMoves28BytesEach() {
        String text = AmdText.kernel("lstm_cell", 32, 0)
                .replaceFirst(
                        "(?s)\\ts_cbranch_scc1.*s_cbranch_scc0 .LBB0_1\n",
                        "\tglobal_load_dword v0, v[2:3], off\n"
                                + "\tglobal_load_dwordx4 v[0:3], v[4:5], off\n".repeat(5)
                                + "\ts_cbranch_execz .LBB0_3\n\tglobal_store_dwordx4 v[4:5], v[0:3], off\n");
        Mix path = new Mix(
                AmdAssembly.parse(text, "lstm_cell").flow().heaviestPath(each -> each.isGlobal() ? each.bytes() : 0));
        assertEquals(28 * 4 + 4, path.globalBytes());
    }
}
