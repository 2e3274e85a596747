# What is installed, and the Debian package: `./dev package`, or cmake --build and cpack -G DEB.
#
# cmake --install installs programs, packs and manual pages below its prefix; the unit and the configuration
# file belong to a system and are the component `system`, which only the package includes by itself.
include(GNUInstallDirs)

install(TARGETS stepwise stepwise-server stepwise-conformance RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY rules/packs DESTINATION ${CMAKE_INSTALL_DATADIR}/stepwise)
install(DIRECTORY rules/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/stepwise FILES_MATCHING PATTERN *.json)
install(FILES README.md fhir/ucum/NOTICE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/stepwise)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/stepwise RENAME copyright)
install(FILES packaging/stepwise-server.service DESTINATION /lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES packaging/stepwise.yaml DESTINATION /etc/stepwise COMPONENT system EXCLUDE_FROM_ALL)

# Manual pages are what the programs say of themselves.
foreach(page stepwise.1 stepwise-server.8 stepwise-conformance.1)
  string(REGEX MATCH "^(.+)\\.([0-9])$" ignored ${page})
  set(folder ${CMAKE_INSTALL_MANDIR}/man${CMAKE_MATCH_2})
  install(CODE "
    set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}\")
    file(MAKE_DIRECTORY \"\${folder}\")
    execute_process(
      COMMAND \"$<TARGET_FILE:${CMAKE_MATCH_1}>\" --help-man COMMAND gzip -9n
      OUTPUT_FILE \"\${folder}/${page}.gz\" COMMAND_ERROR_IS_FATAL ANY)")
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME stepwise)
set(CPACK_PACKAGE_CONTACT "Stepwise maintainers <stepwise@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "rules engine and CDS Hooks service for HL7 FHIR decision support")
set(CPACK_PACKAGE_DESCRIPTION
  "Checks the order of a clinician against versioned rule packs and answers with advisory cards that say why
they appeared. With the programs to write, test and explain packs. Not a medical device.")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/../package)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${CMAKE_BINARY_DIR};stepwise;Unspecified;/" "${CMAKE_BINARY_DIR};stepwise;system;/")
set(CPACK_SET_DESTDIR ON)  # the component `system` has absolute paths
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_BINARY_DIR}/debian/conffiles "/etc/stepwise/stepwise.yaml\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_BINARY_DIR}/debian/conffiles
  ${CMAKE_SOURCE_DIR}/packaging/debian/postinst
  ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
