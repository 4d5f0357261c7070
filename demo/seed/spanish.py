"""The demo clinic's own texts in Spanish, by the English ones."""

SPANISH = {
    "Looks after whole families, from the first cold to old age.": (
        "Atiende a familias enteras, desde el primer resfriado hasta la vejez."
    ),
    "Knows what travellers need, and why people sleep badly.": (
        "Sabe lo que necesitan los viajeros y por qué se duerme mal."
    ),
    "Take the 1 train to 96th Street. The entrance has a ramp; parking is behind the house.": (
        "Tome la línea 1 hasta la calle 96. La entrada tiene rampa; se puede aparcar detrás de la casa."
    ),
    "Follow-up visit": "Cita de seguimiento",
    "A short visit about something we already know: results, a prescription, how a treatment is going.": (
        "Una cita breve sobre algo que ya conocemos: resultados, una receta, cómo va un tratamiento."
    ),
    "Bring your medicines, or a list of them, and any results from other doctors.": (
        "Traiga sus medicamentos, o una lista de ellos, y los resultados que tenga de otros médicos."
    ),
    "New patient visit": "Primera cita",
    "Your first visit with a doctor: time to get to know you, your history and what brings you here.": (
        "Su primera cita con el médico: tiempo para conocerle, saber de su historia y de lo que le trae aquí."
    ),
    "Bring a photo ID, your insurance card and a list of your medicines."
    " Please come ten minutes early, so that we can set up your record.": (
        "Traiga un documento con foto, su tarjeta del seguro y una lista de sus medicamentos."
        " Venga diez minutos antes, por favor, para que podamos abrir su historia."
    ),
    "Exam room 1, New York": "Consultorio 1, Nueva York",
    "Imaging room 1": "Sala de imagen 1",
    "Imaging room 2": "Sala de imagen 2",
    "Exam room 1, Los Angeles": "Consultorio 1, Los Ángeles",
    "Exam room 2, Los Angeles": "Consultorio 2, Los Ángeles",
    "Ultrasound scanner": "Ecógrafo",
    "Ultrasound": "Ecografía",
    "An abdominal ultrasound. It does not hurt, and needs an empty stomach.": (
        "Una ecografía del abdomen. No duele y se hace en ayunas."
    ),
    "Eat nothing for six hours before the visit, and drink only water."
    " Take your medicines as usual, with a sip of water. Wear something that opens at the waist.": (
        "No coma nada en las seis horas anteriores y beba solo agua."
        " Tome sus medicamentos como siempre, con un sorbo de agua. Lleve ropa que se abra por la cintura."
    ),
    "Video visit": "Cita por video",
    "See a doctor from home, some nights too. Any phone or computer with a camera will do.": (
        "Hable con un médico desde casa, algunas noches también. Basta un teléfono o una computadora con cámara."
    ),
    "Find a quiet place with good light, and a good connection."
    " The page of your visit has the link to the video room; it opens ten minutes before the start.": (
        "Busque un lugar tranquilo, con buena luz y buena conexión."
        " En la página de su cita está el enlace a la sala de video; se abre diez minutos antes."
    ),
    "Back care class": "Clase para la espalda",
    "Exercises for a stronger back, in a group of up to eight.": (
        "Ejercicios para fortalecer la espalda, en un grupo de hasta ocho personas."
    ),
    "Wear something comfortable and bring a towel. Please do not eat a large meal just before.": (
        "Lleve ropa cómoda y una toalla. No haga una comida abundante justo antes, por favor."
    ),
    "Travel health visit": "Consulta para viajeros",
    "Vaccinations and advice for your journey. Come at least four weeks before you leave.": (
        "Vacunas y consejos para su viaje. Venga al menos cuatro semanas antes de salir."
    ),
    "Bring your vaccination record, if you have one, and your travel plan.": (
        "Traiga su cartilla de vacunación, si la tiene, y su plan de viaje."
    ),
    "Diabetes check": "Control de diabetes",
    "The regular check with the people who look after your diabetes.": (
        "El control periódico con las personas que atienden su diabetes."
    ),
    "Eat and take your medicines as usual. Bring your meter, or your notes of the last two weeks.": (
        "Coma y tome sus medicamentos como siempre. Traiga su medidor o sus anotaciones de las dos últimas semanas."
    ),
    "Physiotherapy": "Fisioterapia",
    "One to one, for joints, back and shoulders, and after operations.": (
        "Individual, para articulaciones, espalda y hombros, y después de operaciones."
    ),
    "Wear something you can move in. Bring the referral and pictures, if you have any.": (
        "Lleve ropa con la que pueda moverse. Traiga el volante y las imágenes, si los tiene."
    ),
    "Sleep consultation": "Consulta del sueño",
    "If you sleep badly, snore, or are tired all day. A few questions come first.": (
        "Si duerme mal, ronca o está cansado todo el día. Antes le haremos unas preguntas."
    ),
    "Note for a week when you went to bed, fell asleep and woke up, and bring your notes.": (
        "Anote durante una semana cuándo se acostó, se durmió y se despertó, y traiga sus notas."
    ),
    "Minor skin surgery": "Cirugía menor de la piel",
    "Taking away a mole or a cyst, under local anaesthetic. Your doctor refers you to us.": (
        "Quitar un lunar o un quiste, con anestesia local. Su médico le deriva a nosotros."
    ),
    "Tell us if you take blood thinners. Eat as usual. Do not plan sports for the week after.": (
        "Díganos si toma anticoagulantes. Coma como siempre. No prevea hacer deporte la semana siguiente."
    ),
    "COVID-19 vaccine": "Vacuna contra la COVID-19",
    "The vaccine of this season.": "La vacuna de esta temporada.",
    "Bring your vaccination record, if you have one. Wear something with short sleeves.": (
        "Traiga su cartilla de vacunación, si la tiene. Lleve manga corta."
    ),
    "Riverside Clinic New York": "Clínica Riverside Nueva York",
    "Riverside Clinic Los Angeles": "Clínica Riverside Los Ángeles",
    "Before your travel health visit": "Antes de su consulta para viajeros",
    "How you are today": "Cómo está hoy",
    "Have you had a fever after a journey in the last four weeks?": (
        "¿Ha tenido fiebre después de un viaje en las últimas cuatro semanas?"
    ),
    "No": "No",
    "Yes, but it is over": "Sí, pero ya pasó",
    "Yes, and I have it now": "Sí, y la tengo ahora",
    "Your journey": "Su viaje",
    "Which countries will you visit?": "¿Qué países visitará?",
    "When do you leave?": "¿Cuándo sale?",
    "When do you come back?": "¿Cuándo vuelve?",
    "Why are you travelling?": "¿Por qué viaja?",
    "Holiday": "Vacaciones",
    "Visiting family or friends": "Visita a familiares o amigos",
    "Work or study": "Trabajo o estudios",
    "Pilgrimage": "Peregrinación",
    "Will you spend nights outside cities or hotels?": "¿Pasará noches fuera de ciudades u hoteles?",
    "How high will you go, if into the mountains?": "¿A qué altura llegará, si va a la montaña?",
    "Your travel plan, if you have one as a file": "Su plan de viaje, si lo tiene como archivo",
    "Your health": "Su salud",
    "Are you allergic to anything?": "¿Tiene alguna alergia?",
    "To what, and what happens?": "¿A qué, y qué le ocurre?",
    "Medicine": "Medicamento",
    "Which medicine do you take?": "¿Qué medicamento toma?",
    "As it is written on the package. Leave it empty if you take none.": (
        "Como está escrito en el envase. Déjelo vacío si no toma ninguno."
    ),
    "How many times a day?": "¿Cuántas veces al día?",
    "Are you pregnant, or could you be?": "¿Está embarazada, o podría estarlo?",
    "How much do you weigh?": "¿Cuánto pesa?",
    "Some doses depend on it.": "Algunas dosis dependen de ello.",
    "Against which of these were you vaccinated in the last ten years?": (
        "¿Contra cuáles de estas enfermedades se vacunó en los últimos diez años?"
    ),
    "Hepatitis A": "Hepatitis A",
    "Hepatitis B": "Hepatitis B",
    "Tetanus": "Tétanos",
    "Typhoid": "Fiebre tifoidea",
    "Yellow fever": "Fiebre amarilla",
    "Rabies": "Rabia",
    "When was the one against yellow fever?": "¿Cuándo se vacunó contra la fiebre amarilla?",
    "Is there anything else we should know?": "¿Hay algo más que debamos saber?",
    "About your sleep": "Sobre su sueño",
    "How many hours do you sleep on most nights?": "¿Cuántas horas duerme la mayoría de las noches?",
    "Do you snore, as far as you know?": "¿Ronca, que usted sepa?",
    "How often do you doze off while you sit and read?": "¿Con qué frecuencia se duerme mientras lee sentado?",
    "Never": "Nunca",
    "Seldom": "Rara vez",
    "Often": "A menudo",
    "Nearly always": "Casi siempre",
    "Since when do you sleep badly?": "¿Desde cuándo duerme mal?",
}
