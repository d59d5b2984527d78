package io.github.cellfuse;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * An engine, and why it is on that device.
 *
 * @param engine the engine, open; the caller closes it
 * @param reason one line on why it is on that device
 */
public record EngineChoice(LstmEngine engine, String reason) {

    /**
     * Opens {@code model} on the device that {@code auto} means: an exact GPU or accelerator, then an exact OpenCL CPU, then
     * {@code java}. What a device promises is not enough: one that fails the opening self-test, or can't be opened at all, is closed
     * again, the next one is tried, and the reason says so. The engine is therefore always in the {@linkplain Tier#EXACT exact} tier.
     *
     * @throws CellFuseException when not even {@code java} can take the model
     */
    public static EngineChoice auto(LstmModel model, EngineOptions options) {
        return firstExact(
                DeviceChoice.among(Device.all(), Device.problems()), device -> LstmEngine.open(device, model, options));
    }

    /** The first of {@code candidates} that opens and is exact. */
    static EngineChoice firstExact(List<DeviceChoice> candidates, Function<Device, LstmEngine> opener) {
        List<String> story = new ArrayList<>();
        for (DeviceChoice candidate : candidates) {
            LstmEngine engine;
            try {
                engine = opener.apply(candidate.device());
            } catch (InvalidInputException e) {
                throw e; // the model or the options are wrong: another device doesn't make them right
            } catch (CellFuseException e) {
                if (candidate.device() instanceof Device.Java) {
                    throw e;
                }
                story.add(candidate.device() + " can't be opened (" + e.getMessage() + ")");
                continue;
            }
            if (engine.tier() == Tier.EXACT) {
                // What was to be said of the candidates isn't true any more of one that comes after a failure.
                story.add(
                        story.isEmpty()
                                ? candidate.reason()
                                : candidate.device() instanceof Device.Java ? "java is left" : "the next exact device");
                return new EngineChoice(engine, String.join("; ", story));
            }
            engine.close();
            story.add(candidate.device() + " failed the opening self-test");
        }
        throw new CellFuseException("auto: no device is exact: " + String.join("; ", story));
    }
}
