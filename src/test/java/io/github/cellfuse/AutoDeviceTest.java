package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which device {@code auto} chooses. Engines that fail are simulated, because no machine has one of each. */
class AutoDeviceTest {
    private static final Device.OpenCl CPU = new Device.OpenCl(0, 0), GPU = new Device.OpenCl(1, 0);

    private final List<String> closed = new ArrayList<>();
    private final LstmModel model = RandomLstm.of(1).model();

    @Test
    void gpusComeFirstAndJavaLast() {
        assertEquals(
                List.of(
                        new AutoDevice.Candidate(GPU, "the first exact OpenCL GPU: big"),
                        new AutoDevice.Candidate(CPU, "the first exact OpenCL CPU: small"),
                        new AutoDevice.Candidate(Device.JAVA, "no OpenCL device in the exact tier")),
                candidates());
    }

    @Test
    void devicesThatPromiseTooLittleAreNoCandidates() {
        DeviceInfo loose = info(GPU, DeviceInfo.Kind.GPU, "loose", Tier.TOLERANCE);
        assertEquals(
                List.of(new AutoDevice.Candidate(Device.JAVA, "no platform")),
                AutoDevice.candidates(List.of(loose), List.of("no platform")));
    }

    @Test
    void theFirstExactEngineIsTaken() {
        AutoDevice auto = AutoDevice.firstExact(candidates(), device -> engine(device, Tier.EXACT));
        assertEquals(GPU, auto.device());
        assertEquals("the first exact OpenCL GPU: big", auto.reason());
        assertEquals(List.of(), closed);
    }

    @Test
    void anEngineThatFailsItsSelfTestIsClosedAndTheNextOneTaken() {
        AutoDevice auto = AutoDevice.firstExact(
                candidates(), device -> engine(device, device.equals(GPU) ? Tier.TOLERANCE : Tier.EXACT));
        assertEquals(CPU, auto.device());
        assertEquals("opencl:1.0 failed the opening self-test; the next exact device", auto.reason());
        assertEquals(List.of("opencl:1.0"), closed);
    }

    @Test
    void javaIsLeftWhenNoDeviceKeepsItsPromiseOrOpens() {
        AutoDevice auto = AutoDevice.firstExact(candidates(), device -> {
            if (device.equals(GPU)) {
                throw new CellFuseException("the driver is gone");
            }
            return engine(device, device.equals(CPU) ? Tier.TOLERANCE : Tier.EXACT);
        });
        assertEquals(Device.JAVA, auto.device());
        assertEquals(
                "opencl:1.0 can't be opened (the driver is gone); opencl:0.0 failed the opening self-test; "
                        + "falling back to java",
                auto.reason());
        assertEquals(List.of("opencl:0.0"), closed);
    }

    @Test
    void anInterruptIsNoReasonToChooseAnotherDevice() {
        CellFuseException e = assertThrows(
                CellFuseException.class,
                () -> AutoDevice.firstExact(candidates(), device -> {
                    Thread.currentThread().interrupt();
                    throw new CellFuseException("interrupted while opening " + device);
                }));
        assertTrue(Thread.interrupted());
        assertEquals("interrupted while opening opencl:1.0", e.getMessage());
    }

    @Test
    void whatIsWrongWithTheModelIsNotTheDevicesFault() {
        assertThrows(
                InvalidInputException.class,
                () -> AutoDevice.firstExact(candidates(), device -> {
                    throw new InvalidInputException("too large");
                }));
    }

    private static List<AutoDevice.Candidate> candidates() {
        return AutoDevice.candidates(
                List.of(
                        info(CPU, DeviceInfo.Kind.CPU, "small", Tier.EXACT),
                        info(GPU, DeviceInfo.Kind.GPU, "big", Tier.EXACT),
                        info(Device.JAVA, DeviceInfo.Kind.CPU, "java", Tier.EXACT)),
                List.of());
    }

    private static DeviceInfo info(Device device, DeviceInfo.Kind kind, String name, Tier tier) {
        return new DeviceInfo(device, kind, name, tier, Map.of());
    }

    private LstmEngine engine(Device device, Tier tier) {
        return new LstmEngine() {
            @Override
            public Device device() {
                return device;
            }

            @Override
            public LstmModel model() {
                return model;
            }

            @Override
            public Tier tier() {
                return tier;
            }

            @Override
            public String explain(int rows, int steps) {
                return "";
            }

            @Override
            public LstmSession newSession() {
                throw new UnsupportedOperationException();
            }

            @Override
            public void close() {
                closed.add(device.toString());
            }
        };
    }
}
