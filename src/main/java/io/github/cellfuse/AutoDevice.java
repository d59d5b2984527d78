package io.github.cellfuse;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The device that {@code auto} chose for a model, with an engine open on it.
 *
 * @param engine the open engine, always in the {@linkplain Tier#EXACT exact} tier; the caller closes it
 * @param reason one line that says why {@code auto} chose this device
 */
public record AutoDevice(LstmEngine engine, String reason) {

    /**
     * A device that {@code auto} tries.
     *
     * @param device the device
     * @param reason one sentence that says why {@code auto} would choose it
     */
    public record Candidate(Device device, String reason) {}

    /**
     * Opens {@code model} on the best exact device: a GPU or accelerator, else an OpenCL CPU, else {@code java}. A
     * device that fails the opening self-test, or that can't be opened, is closed again and the next one is tried; the
     * reason then says so.
     *
     * @throws InvalidInputException if the model or the options are wrong
     * @throws CellFuseException if not even {@code java} can open the model, or the thread is interrupted
     */
    public static AutoDevice open(LstmModel model, EngineOptions options) {
        return firstExact(
                candidates(Device.all(), Device.problems()), device -> LstmEngine.open(device, model, options));
    }

    /** Returns the device; for OpenCL, with its platform and index. */
    public Device device() {
        return engine.device();
    }

    /**
     * Returns the devices to try, best first. The last one is {@code java}, which is always present.
     *
     * @param problems why other devices are missing: the reason given for {@code java}
     */
    static List<Candidate> candidates(List<DeviceInfo> devices, List<String> problems) {
        List<Candidate> exact = devices.stream()
                .filter(info -> info.device() instanceof Device.OpenCl)
                // auto promises the same bits everywhere, so it never picks a device that only meets the error bound.
                .filter(info -> info.tier() == Tier.EXACT && info.obstacle().isEmpty())
                // The order of Kind is the order of preference. Sorting is stable, so equals stay in order.
                .sorted(Comparator.comparing(DeviceInfo::kind))
                .map(info -> new Candidate(info.device(), "the first exact OpenCL " + info.kind() + ": " + info.name()))
                .toList();
        List<String> reasons = new ArrayList<>();
        devices.forEach(info -> info.obstacle()
                .ifPresent(obstacle -> reasons.add(info.device() + " " + DeviceInfo.OBSTACLE + ": " + obstacle)));
        reasons.addAll(problems);
        String otherwise = reasons.isEmpty() ? "no OpenCL device in the exact tier" : String.join("; ", reasons);
        return Stream.concat(exact.stream(), Stream.of(new Candidate(Device.JAVA, otherwise)))
                .toList();
    }

    /** Opens the candidates in order and returns the first that is exact. */
    static AutoDevice firstExact(List<Candidate> candidates, Function<Device, LstmEngine> opener) {
        List<String> story = new ArrayList<>();
        for (Candidate candidate : candidates) {
            LstmEngine engine;
            try {
                engine = opener.apply(candidate.device());
            } catch (InvalidInputException e) {
                throw e; // The model or the options are wrong, and would be on every other device, too.
            } catch (CellFuseException e) {
                // Every device fails on an interrupted thread, which is no reason to choose another.
                if (candidate.device() instanceof Device.Java
                        || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                story.add(candidate.device() + " can't be opened (" + e.getMessage() + ")");
                continue;
            }
            if (engine.tier() == Tier.EXACT) {
                story.add(reason(candidate, story.isEmpty()));
                return new AutoDevice(engine, String.join("; ", story));
            }
            engine.close();
            story.add(candidate.device() + " failed the opening self-test");
        }
        throw new CellFuseException("auto: no device is exact: " + String.join("; ", story));
    }

    /** A candidate's own reason ("the first …") is no longer true after another one has failed. */
    private static String reason(Candidate candidate, boolean isFirst) {
        if (isFirst) {
            return candidate.reason();
        }
        return candidate.device() instanceof Device.Java ? "falling back to java" : "the next exact device";
    }
}
