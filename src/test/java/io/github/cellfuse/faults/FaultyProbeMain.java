package io.github.cellfuse.faults;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cl.OpenCl;

/** Lists the devices while a query fails, then opens the best one, and prints what it found. */
final class FaultyProbeMain {
    private FaultyProbeMain() {}

    public static void main(String[] words) {
        System.out.println("devices: " + OpenCl.devices().size());
        OpenCl.problems().forEach(problem -> System.out.println("problem: " + problem));
        AutoDevice opened = AutoDevice.open(RandomLstm.of(1).model(), EngineOptions.DEFAULT);
        System.out.println("opened: " + (opened.device().equals(Device.JAVA) ? "java" : "opencl"));
        System.out.println("reason: " + opened.reason());
        opened.engine().close();
    }
}
