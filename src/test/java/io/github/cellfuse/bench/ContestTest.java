package io.github.cellfuse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Plan;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.cl.OpenCl;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContestTest {
    @Test
    void everyPlanAndJavaTakePartAndNothingIsLeftOpen() {
        long before = OpenCl.liveObjects();
        Device opencl = TestEngines.exact().get(1);
        List<Contest.Result> results = Contest.run(new Shape(3, 5, 4, 9), Contest.contenders(opencl), 2);
        assertEquals(Plan.values().length + 1, results.size());
        assertEquals("java", results.get(results.size() - 1).name());
        for (Contest.Result result : results) {
            assertTrue(result.seconds() > 0 && result.ofPeak() > 0 && result.ofPeak() < 2, result.toString());
        }
        assertEquals(before, OpenCl.liveObjects());
    }

    @Test
    void withoutOpenClThereIsNoPeak() {
        List<Contest.Result> results = Contest.run(new Shape(2, 3, 4, 5), Contest.contenders(Device.JAVA), 1);
        assertEquals(1, results.size());
        assertTrue(Double.isNaN(results.get(0).ofPeak()));
    }

    @Test
    void operationsAreThoseOfTheProducts() {
        assertEquals(8.0 * 512 * 1024 * 256 * 64, Shape.parse("64,256,512,512").flops());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "64", "64,256,512", "64,256,512,0", "-1,2,3,4", "64,256,512,512,1", "a,b,c,d"})
    void otherShapesAreRefused(String text) {
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> Shape.parse(text));
        assertTrue(e.getMessage().startsWith("shape: expected "), e.getMessage());
    }
}
